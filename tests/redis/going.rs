//! A Redis that ends, is killed, stands still or is full: what was acknowledged is there, and nothing
//! is half there.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::client::NEVER;
use harness::program::Program;
use harness::redis::Redis;

use crate::asked::{FORM_HEAD, form, get, post, save, send, site};
use crate::{leads, on};

/// Asks until the answer is as wanted.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + NEVER;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
    }
}

/// What became of 1,000 saves by four writers, each of a name of its own.
#[derive(Default)]
struct Written {
    acknowledged: Mutex<HashMap<String, String>>,
    refused: Mutex<HashMap<String, String>>,
    saves: AtomicUsize,
    refusals: AtomicUsize,
}

impl Written {
    /// Saves while `meanwhile` happens, which is told how far it is.
    fn during(server: &Program, meanwhile: impl FnOnce(&Self)) -> Self {
        const WRITERS: usize = 4;
        let (written, site) = (Self::default(), site());
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (written, url, site) = (&written, &server.url, site.address());
                scope.spawn(move || {
                    for number in 0..1_000 / WRITERS {
                        let name = format!("w{writer}-{number}");
                        let uri = format!("http://{site}/?{name}");
                        written.save(url, name, uri);
                    }
                });
            }
            meanwhile(&written);
        });
        written
    }

    fn save(&self, url: &str, name: String, uri: String) {
        let answer = post(url, &form(&name, &uri));
        let kept = match answer.status {
            303 => {
                self.saves.fetch_add(1, Ordering::Relaxed);
                &self.acknowledged
            }
            503 => {
                assert_eq!(answer.field("retry-after"), Some("5"));
                self.refusals.fetch_add(1, Ordering::Relaxed);
                &self.refused
            }
            other => panic!("{name}: {other} {}", answer.body),
        };
        kept.lock().unwrap().insert(name, uri);
    }

    /// Waits for as many of a kind.
    fn wait_for(counter: &AtomicUsize, wanted: usize) {
        until("saves go on", || counter.load(Ordering::Relaxed) >= wanted);
    }

    /// Each acknowledged save is there, and no other is there otherwise than whole.
    fn judge(self, server: &Program) {
        let acknowledged = self.acknowledged.into_inner().unwrap();
        let refused = self.refused.into_inner().unwrap();
        assert_eq!(acknowledged.len() + refused.len(), 1_000);
        for (name, uri) in &acknowledged {
            assert_eq!(leads(server, name).as_ref(), Ok(uri), "{name}");
        }
        for (name, uri) in &refused {
            let found = leads(server, name);
            assert!(found == Err(404) || found.as_ref() == Ok(uri), "{name}: {found:?}");
        }
    }
}

#[test]
fn a_redis_that_ends_and_comes_back_in_the_middle_of_saves_loses_none() {
    for signal in ["TERM", "KILL"] {
        let mut redis = Redis::start();
        let server = on(&redis.store());
        let written = Written::during(&server, |written| {
            Written::wait_for(&written.saves, 100);
            redis.signal(signal);
            redis.ended();
            Written::wait_for(&written.refusals, 20);
            redis.again();
            let before = written.saves.load(Ordering::Relaxed);
            Written::wait_for(&written.saves, before + 50);
        });
        written.judge(&server);
        // Nor does the list have anything else than what is there.
        let list = send("GET", &server.url, &[("Accept", "application/json")], None).body;
        let total = list.rsplit_once("\"total\":").unwrap().1.split(',').next().unwrap();
        assert_eq!(redis.tell(&["HLEN", "bookmark:names"]), total, "{signal}");
    }
}

#[test]
fn a_server_that_is_killed_in_the_middle_of_saves_loses_none() {
    let (redis, site) = (Redis::start(), site());
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let server = on(&redis.store());
        let mut client = server.client();
        let mut write = |number: usize| {
            let name = format!("r{round}-{number}");
            let uri = format!("http://{}/?{name}", site.address());
            let form = form(&name, &uri);
            let request = format!("{}Content-Length: {}\r\n\r\n{form}", FORM_HEAD, form.len());
            std::io::Write::write_all(&mut client.stream, request.as_bytes()).ok()?;
            let answer = client.try_answer().ok()?;
            assert_eq!(answer.status, 303);
            Some((name, uri))
        };
        let mut server = Some(server);
        thread::scope(|scope| {
            for number in 0.. {
                // Somebody kills it while it saves.
                if number == 40 {
                    let server = server.take().unwrap();
                    scope.spawn(move || server.kill());
                }
                match write(number) {
                    Some(saved) => acknowledged.push(saved),
                    None => break,
                }
            }
        });
    }
    let server = on(&redis.store());
    assert!(acknowledged.len() >= 120);
    for (name, uri) in &acknowledged {
        assert_eq!(leads(&server, name).as_ref(), Ok(uri), "{name}");
    }
}

#[test]
fn while_it_stands_still_nobody_waits_long_and_then_it_goes_on() {
    let (redis, site) = (Redis::start(), site());
    let server = on(&redis.store());
    let uri = format!("http://{}/", site.address());
    assert_eq!(save(&server, "a", &uri).status, 303);
    redis.signal("STOP");
    for path in ["/a", "/", "/a+", "/.export"] {
        let begun = Instant::now();
        let answer = get(&format!("{}{path}", server.url));
        assert_eq!((answer.status, answer.field("retry-after")), (503, Some("5")), "{path}");
        assert!(answer.body.contains("out of reach"), "{}", answer.body);
        assert!(begun.elapsed() < Duration::from_secs(10), "{path}: {:?}", begun.elapsed());
    }
    // It lives, and says so: nobody else can mend this Redis.
    assert_eq!(get(&format!("{}/.healthz", server.url)).status, 200);
    redis.signal("CONT");
    until("it goes on", || leads(&server, "a").as_ref() == Ok(&uri));
}

#[test]
fn they_may_start_in_any_order() {
    let mut redis = Redis::start();
    redis.signal("TERM");
    redis.ended();
    let server = on(&redis.store());
    assert_eq!(leads(&server, "a"), Err(503));
    redis.again();
    until("it is found", || leads(&server, "a") == Err(404));
}

#[test]
fn what_it_does_not_take_is_not_acknowledged() {
    let (redis, site) = (Redis::start(), site());
    let server = on(&redis.store());
    let uri = format!("http://{}/", site.address());
    assert_eq!(save(&server, "a", &uri).status, 303);
    for (full, free) in [
        (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
        (
            ["CONFIG", "SET", "min-replicas-to-write", "1"],
            ["CONFIG", "SET", "min-replicas-to-write", "0"],
        ),
    ] {
        redis.tell(&full);
        let answer = save(&server, "b", &uri);
        assert!(matches!(answer.status, 500 | 503), "{full:?}: {answer:?}");
        assert_eq!((leads(&server, "a").as_ref(), leads(&server, "b")), (Ok(&uri), Err(404)));
        redis.tell(&free);
    }
    assert_eq!(save(&server, "b", &uri).status, 303);
}
