//! Which backend gets a request: whose turn it is, who is down, ejected or leaving.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use harness::latch::Latch;
use longhand::{Request, Response, Status};

use crate::{
    NOBODY, address, ask, get, head, named, post, script, serve, start, state, unchecked, until,
};

#[test]
fn requests_go_round() {
    let servers = ["a", "b", "c"].map(named);
    let addresses = servers.each_ref().map(address);
    let balancer = unchecked(&addresses.each_ref().map(String::as_str), &[]);
    let mut client = balancer.client();
    let turns: Vec<_> = (0..9).map(|_| client.get("/").answer().text()).collect();
    assert_eq!(turns.concat(), "abcabcabc");
    let turns: Vec<_> = (0..6).map(|_| post(&balancer, "/", "x").text()).collect();
    assert_eq!(turns.concat(), "abcabc");
}

#[test]
fn the_least_busy_one_is_asked() {
    let (door, (began, begun)) = (Latch::default(), channel());
    let (wait, began) = (door.clone(), Mutex::new(began));
    let slow = serve(move |request: &mut Request<'_>| {
        if request.path() == "/wait" {
            began.lock().unwrap().send(()).unwrap();
            wait.pass();
        }
        Response::text("slow")
    });
    let idle = named("idle");
    let policy = [("POLICY", "least-in-flight")];
    let balancer = unchecked(&[&address(&slow), &address(&idle)], &policy);
    // Nobody is busy: turns are kept.
    let mut waiting = balancer.client();
    waiting.get("/wait");
    begun.recv().unwrap();
    for _ in 0..4 {
        assert_eq!(get(&balancer, "/").text(), "idle");
    }
    assert_eq!(state(&balancer, slow.address()), ("up".to_owned(), [1, 0, 0]));
    door.open();
    assert_eq!(waiting.answer().text(), "slow");
    until("the slow one gets something", || get(&balancer, "/").text() == "slow");
}

#[test]
fn a_backend_that_is_not_there_costs_no_request() {
    let there = named("there");
    let balancer = unchecked(&[NOBODY, &address(&there)], &[]);
    for _ in 0..6 {
        assert_eq!(get(&balancer, "/").text(), "there");
        // Nothing was sent, so a POST goes elsewhere too.
        assert_eq!(post(&balancer, "/", "once").text(), "there");
    }
    let (state, [_, answered, failed]) = state(&balancer, NOBODY);
    assert_eq!((state.as_str(), answered, failed), ("ejected", 0, 3));
}

#[test]
fn one_that_is_down_by_its_checks_is_not_asked_until_it_is_back() {
    let status = Arc::new(AtomicU16::new(500));
    let well = named("well");
    let checks = [("HEALTH", "/health"), ("HEALTH_MS", "10")];
    let says = Arc::clone(&status);
    let ill = serve(move |request: &mut Request<'_>| {
        let status = if request.path() == "/health" { says.load(Ordering::SeqCst) } else { 200 };
        Response::text("ill").status(Status::new(status).unwrap())
    });
    let balancer = start(&[&address(&ill), &address(&well)], &checks);
    until("it is down", || state(&balancer, ill.address()).0 == "down");
    for _ in 0..6 {
        assert_eq!(get(&balancer, "/").text(), "well");
    }
    status.store(200, Ordering::SeqCst);
    until("it is back", || state(&balancer, ill.address()).0 == "up");
    until("it is asked", || get(&balancer, "/").text() == "ill");
}

#[test]
fn a_check_that_got_a_hint_before_its_answer_was_taken_for_a_bad_one() {
    let hints = script(|_, stream| {
        head(stream);
        let answer = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let balancer = start(&[&hints.address], &[("HEALTH_MS", "1")]);
    until("it is checked", || hints.connections.load(Ordering::SeqCst) > 5);
    assert_eq!(state(&balancer, &hints.address).0, "up");
}

#[test]
fn a_request_waited_on_for_one_that_was_cut_off_and_did_not_even_refuse() {
    let silent = script(|_, stream| {
        head(stream);
        // To its end, which is the balancer's to make.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let other = named("other");
    let settings = [("HEALTH_MS", "10"), ("ANSWER_MS", "3600000")];
    let balancer = start(&[&silent.address, &address(&other)], &settings);
    // One of two goes to each.
    for _ in 0..2 {
        assert_eq!(get(&balancer, "/").text(), "other");
    }
    assert_eq!(state(&balancer, &silent.address), ("down".to_owned(), [0, 0, 1]));
}

#[test]
fn one_that_fails_three_times_in_a_row_is_left_alone_and_tried_again() {
    let works = Arc::new(AtomicBool::new(false));
    let does = Arc::clone(&works);
    let moody = script(move |_, stream| {
        if !head(stream).is_empty() && does.load(Ordering::SeqCst) {
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nmoody";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let calm = named("calm");
    let balancer = unchecked(&[&moody.address, &address(&calm)], &[("EJECT_MS", "3600000")]);
    for _ in 0..20 {
        assert_eq!(get(&balancer, "/").text(), "calm");
    }
    assert_eq!(state(&balancer, &moody.address), ("ejected".to_owned(), [0, 0, 3]));
    drop(balancer);

    let balancer = unchecked(&[&moody.address, &address(&calm)], &[("EJECT_MS", "1")]);
    for _ in 0..20 {
        assert_eq!(get(&balancer, "/").text(), "calm");
    }
    works.store(true, Ordering::SeqCst);
    until("it is tried again", || get(&balancer, "/").text() == "moody");
    assert_eq!(state(&balancer, &moody.address).0, "up");
}

#[test]
fn one_that_says_404_finishes_what_it_has_and_gets_nothing_new() {
    for code in [404, 503] {
        let leaves = Arc::new(AtomicBool::new(false));
        let (door, (began, begun)) = (Latch::default(), channel());
        let (does, wait, began) = (Arc::clone(&leaves), door.clone(), Mutex::new(began));
        let leaving = serve(move |request: &mut Request<'_>| {
            let status = match request.path() {
                "/.healthz" if does.load(Ordering::SeqCst) => Status::new(code).unwrap(),
                "/wait" => {
                    began.lock().unwrap().send(()).unwrap();
                    wait.pass();
                    Status::OK
                }
                _ => Status::OK,
            };
            Response::text("leaving").status(status)
        });
        let staying = named("staying");
        let backends = [&*address(&leaving), &*address(&staying)];
        let balancer = start(&backends, &[("HEALTH_MS", "10")]);
        // One of two goes to each.
        let mut waiting = [balancer.client(), balancer.client()];
        for client in &mut waiting {
            client.get("/wait");
        }
        begun.recv().unwrap();
        leaves.store(true, Ordering::SeqCst);
        until("it is leaving", || state(&balancer, leaving.address()).0 == "leaving");
        for _ in 0..6 {
            assert_eq!(get(&balancer, "/").text(), "staying", "{code}");
        }
        assert_eq!(state(&balancer, leaving.address()).1[0], 1, "one is in flight");
        door.open();
        let mut answers = waiting.map(|mut client| client.answer().text());
        answers.sort();
        assert_eq!(answers, ["leaving", "staying"]);
        leaves.store(false, Ordering::SeqCst);
        until("it is back", || get(&balancer, "/").text() == "leaving");
    }
}

#[test]
fn where_all_are_leaving_there_is_no_service_and_the_page_says_so() {
    let leaving = serve(|_: &mut Request<'_>| Status::NOT_FOUND);
    let balancer = start(&[&address(&leaving)], &[("HEALTH_MS", "10")]);
    until("it is leaving", || state(&balancer, leaving.address()).0 == "leaving");
    let answer = get(&balancer, "/");
    assert_eq!((answer.status, answer.field("retry-after")), (503, Some("1")));
    assert_eq!(answer.text(), "503 Service Unavailable: no backend takes requests now\n");
    assert_eq!(get(&balancer, "/.balancer").status, 503);
}

#[test]
fn the_page_is_for_this_machine_alone() {
    let server = named("backend");
    let trusted = [("TRUSTED_PROXIES", "127.0.0.1")];
    let balancer = unchecked(&[&address(&server)], &trusted);
    let page = get(&balancer, "/.balancer");
    assert_eq!((page.status, page.field("cache-control")), (200, Some("no-store")));
    assert!(page.text().contains(" is Ready\n"), "{}", page.text());
    let outside = ask(&balancer, "GET", "/.balancer", "X-Forwarded-For: 192.0.2.1\r\n");
    assert_eq!(outside.text(), "backend");
}
