//! Segments that come apart: every split of a conversation into two, in memory with a pause between, and
//! over real sockets with the server waiting in between; and one byte at a time.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use harness::client::{Client, NEVER};
use harness::running::{Running, Told, run_on};
use harness::watched::Watched;
use longhand::transport::{Acceptor, Scripted};
use longhand::{Server, Why};

use crate::conversation::{handle, serve, told, wanted, whole};

#[test]
fn in_any_two_segments_a_conversation_is_the_same() {
    let bytes = whole();
    for split in 0..=bytes.len() {
        for pause in [Duration::ZERO, Duration::from_millis(900), Duration::from_secs(9)] {
            let (first, second) = bytes.split_at(split);
            let mut peer = Scripted::new().send(first).wait(pause).send(second).end();
            let served = serve(&mut peer);
            assert_eq!(told(&peer.output()), wanted(), "{pause:?} behind {split} bytes");
            assert_eq!(served.why, Why::PeerClosed, "{pause:?} behind {split} bytes");
            assert_eq!(served.calls.len(), wanted().len(), "{pause:?} behind {split} bytes");
        }
    }
}

/// A server that tells when it is about to read.
fn watched() -> (Running, SocketAddr, Receiver<()>) {
    let (tell, reads) = channel();
    let mut acceptor = Watched::over(TcpListener::bind("127.0.0.1:0").unwrap());
    acceptor.before_read = Arc::new(move |_| {
        // Nobody listens any more where the test is over.
        let _ = tell.send(());
    });
    let address = acceptor.local().unwrap();
    (run_on(Server::new(acceptor), handle), address, reads)
}

#[test]
fn in_any_two_segments_with_a_wait_between_a_conversation_is_the_same_over_sockets() {
    let (server, address, reads) = watched();
    let bytes = whole();
    for split in 1..bytes.len() {
        let (first, second) = bytes.split_at(split);
        let mut client = Client::to(address);
        // It waits for the first segment; it has read that, and waits for the second.
        reads.recv_timeout(NEVER).unwrap();
        client.send(first);
        reads.recv_timeout(NEVER).unwrap();
        client.send(second).end();
        let output = client.rest().unwrap();
        assert_eq!(told(&output), wanted(), "split behind {split} bytes");
        drop(client);
        server.expect(&Told::Closed { requests: 8, why: Why::PeerClosed });
        // The next connection's first read is not this one's last.
        while reads.try_recv().is_ok() {}
    }
    assert_eq!(server.end().requests, 8 * (bytes.len() as u64 - 1));
}

#[test]
fn a_byte_at_a_time_a_conversation_is_the_same_over_sockets() {
    let (server, address, reads) = watched();
    let mut client = Client::to(address);
    for byte in whole() {
        reads.recv_timeout(NEVER).unwrap();
        client.send([byte]);
    }
    client.end();
    assert_eq!(told(&client.rest().unwrap()), wanted());
    drop(client);
    assert_eq!(server.end().requests, 8);
}
