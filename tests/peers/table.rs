//! The table: bytes in, answers out.

use std::io::Write;
use std::net::{Shutdown, SocketAddr};

use harness::answer::{Answer, answers};
use harness::client::Client;
use harness::running::run;
use harness::table::{
    Row,
    Then::{self, Closed, Open},
    bodies, lines, probe,
};
use longhand::Server;

/// Sends a row and ends the sending side; gives all that was answered, and whether the server had
/// ended the connection before the client did.
fn send(address: SocketAddr, row: &Row) -> (Vec<Answer>, Then) {
    let mut client = Client::to(address);
    // A refusal may come before all is sent; a server that is heard out closes no sooner.
    client.stream.write_all(&row.bytes).expect("the server hears it all");
    client.stream.shutdown(Shutdown::Write).expect("the connection is there");
    let answers = answers(&client.rest().expect("an end that is no reset"), &["POST"]);
    let then = if answers.last().is_some_and(Answer::closes) { Closed } else { Open };
    (answers, then)
}

#[test]
fn every_row_of_the_table_is_answered_as_it_says() {
    let server = run(Server::bind("127.0.0.1:0").expect("a free port"), probe);
    let mut differ = Vec::new();
    for row in lines().iter().chain(&bodies()) {
        let (answers, then) = send(server.address(), row);
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        if statuses != row.statuses || then != row.then {
            differ.push(format!("{}: {statuses:?}, {then:?}", row.name));
        }
        assert!(answers.iter().all(|answer| answer.status != 404), "{}: smuggled", row.name);
    }
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(server.end().cut, 0);
}

#[test]
fn a_head_request_is_answered_by_a_handler_for_get_without_a_body() {
    let server = run(Server::bind("127.0.0.1:0").expect("a free port"), probe);
    let mut client = Client::to(server.address());
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n").end();
    let answers = answers(&client.rest().expect("an end"), &["HEAD", "HEAD"]);
    assert_eq!(answers.len(), 2);
    for answer in answers {
        assert_eq!((answer.status, answer.field("content-length")), (200, Some("13")));
    }
}

#[test]
fn a_connection_that_the_table_calls_open_serves_another_request() {
    let server = run(Server::bind("127.0.0.1:0").expect("a free port"), probe);
    for row in lines().iter().chain(&bodies()).filter(|row| row.then == Open) {
        let mut client = Client::to(server.address());
        client.send(&row.bytes);
        for status in row.statuses {
            assert_eq!(client.answer().status, *status, "{}", row.name);
        }
        assert_eq!(client.get("/").answer().text(), "Hello, World!", "{}", row.name);
    }
}
