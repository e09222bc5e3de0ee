//! The road between client and server, with somebody on it who sees every record, and may change, hold
//! or end what passes.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use harness::client::NEVER;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Towards {
    Server,
    Client,
}

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Passes,
    /// The connection ends before it, in the way that TCP ends when all is well.
    Ends,
}

/// A record, as it came by: RFC 8446 section 5.1.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) towards: Towards,
    /// Its first octet: 20 `change_cipher_spec`, 21 alert, 22 handshake, 23 application data.
    pub(crate) kind: u8,
    pub(crate) bytes: Vec<u8>,
}

/// Who sits at the road: sees each record with its number, from 0, among those of its kind and direction.
type Watcher = dyn Fn(Towards, usize, &mut Record) -> Fate + Send + Sync;

/// A road for one connection.
pub(crate) struct Road {
    pub(crate) port: u16,
    passed: Arc<(Mutex<Passed>, Condvar)>,
}

#[derive(Default)]
struct Passed {
    records: Vec<Record>,
    ended: Vec<Towards>,
}

impl Road {
    pub(crate) fn to(
        port: u16,
        watcher: impl Fn(Towards, usize, &mut Record) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let passed = Arc::<(Mutex<Passed>, Condvar)>::default();
        let (kept, watcher): (_, Arc<Watcher>) = (passed.clone(), Arc::new(watcher));
        thread::spawn(move || {
            let Ok((client, _)) = listener.accept() else { return };
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            for (from, to, towards) in
                [(&client, &server, Towards::Server), (&server, &client, Towards::Client)]
            {
                let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                let (kept, watcher) = (kept.clone(), watcher.clone());
                thread::spawn(move || {
                    let _ = carry(from, &to, towards, &*watcher, &kept);
                    let _ = to.shutdown(Shutdown::Write);
                    kept.0.lock().unwrap().ended.push(towards);
                    kept.1.notify_all();
                });
            }
        });
        Self { port: own, passed }
    }

    /// The records that came by, once neither side sends any more.
    pub(crate) fn records(&self) -> Vec<Record> {
        let (passed, news) = &*self.passed;
        let passed = passed.lock().unwrap();
        let (passed, late) =
            news.wait_timeout_while(passed, NEVER, |passed| passed.ended.len() < 2).unwrap();
        assert!(!late.timed_out(), "the connection does not end");
        passed.records.clone()
    }
}

fn carry(
    mut from: TcpStream,
    mut to: &TcpStream,
    towards: Towards,
    watcher: &Watcher,
    (passed, _): &(Mutex<Passed>, Condvar),
) -> io::Result<()> {
    let mut seen = [0_usize; 256];
    loop {
        let mut bytes = vec![0; 5];
        from.read_exact(&mut bytes)?;
        let length = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        bytes.resize(5 + length, 0);
        from.read_exact(&mut bytes[5..])?;
        let mut record = Record { towards, kind: bytes[0], bytes };
        let number = &mut seen[usize::from(record.kind)];
        if watcher(towards, *number, &mut record) == Fate::Ends {
            return Ok(());
        }
        *number += 1;
        to.write_all(&record.bytes)?;
        passed.lock().unwrap().records.push(record);
    }
}
