//! The outage drill: one instance after the other is ended and started while visitors read, follow and
//! save, and nobody notices; then one is killed, and only who was saving at that moment may.

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use harness::client::NEVER;
use harness::program::{Folder, Program};
use harness::redis::Redis;
use harness::running::run;
use longhand::{Request, Response, Server};
use ureq::Agent;

use crate::front::{Front, Kind};
use crate::{free_port, instance};

/// Who saves, of all visitors.
const SAVING: usize = 2;
const READING: usize = 4;

/// What has been seen so far.
#[derive(Default)]
struct Seen {
    reads: AtomicUsize,
    saves: AtomicUsize,
    failed_reads: Mutex<Vec<String>>,
    /// What fails where an instance that has it is killed, and when it began: saves, and answers of which
    /// some had come.
    broken_off: Mutex<Vec<(Instant, String)>>,
    saved: Mutex<Vec<String>>,
    enough: AtomicBool,
}

impl Seen {
    /// Reads and follows until it is enough.
    fn read(&self, agent: &Agent, front: &Front) {
        while !self.enough.load(Ordering::Relaxed) {
            for (path, wanted) in [("/", 200), ("/first", 303), ("/first+", 200)] {
                let begun = Instant::now();
                match agent.get(front.url(path)).call() {
                    Ok(mut answer) => {
                        let (status, body) = (answer.status(), answer.body_mut().read_to_string());
                        let what = format!("GET {path}: {status} {:?}", body.as_ref().err());
                        if status != wanted {
                            self.failed_reads.lock().unwrap().push(what);
                        } else if body.is_err() {
                            self.broken_off.lock().unwrap().push((begun, what));
                        }
                    }
                    Err(error) => {
                        self.failed_reads.lock().unwrap().push(format!("GET {path}: {error}"));
                    }
                }
                self.reads.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Saves one name after the other until it is enough.
    fn save(&self, agent: &Agent, front: &Front, who: usize, uri: &str) {
        for number in 0.. {
            if self.enough.load(Ordering::Relaxed) {
                return;
            }
            let name = format!("s{who}-{number}");
            let form = [("longuri", uri), ("shortname", &name)];
            let begun = Instant::now();
            match agent.post(front.url("/")).send_form(form) {
                Ok(answer) if answer.status() == 303 => self.saved.lock().unwrap().push(name),
                Ok(answer) => {
                    let failed = format!("POST {name}: {}", answer.status());
                    self.broken_off.lock().unwrap().push((begun, failed));
                }
                Err(error) => {
                    let failed = format!("POST {name}: {error}");
                    self.broken_off.lock().unwrap().push((begun, failed));
                }
            }
            self.saves.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits for as many more reads and saves.
    fn wait_for(&self, reads: usize, saves: usize) {
        let end = Instant::now() + NEVER;
        let (reads, saves) = (
            reads + self.reads.load(Ordering::Relaxed),
            saves + self.saves.load(Ordering::Relaxed),
        );
        while self.reads.load(Ordering::Relaxed) < reads
            || self.saves.load(Ordering::Relaxed) < saves
        {
            assert!(Instant::now() < end, "visitors go on");
            thread::yield_now();
        }
    }

    fn failures(&self) -> (Vec<String>, Vec<(Instant, String)>) {
        let failed = std::mem::take(&mut *self.failed_reads.lock().unwrap());
        (failed, std::mem::take(&mut *self.broken_off.lock().unwrap()))
    }
}

/// Two instances on one store, and how they are started again.
struct Pair<'s> {
    ports: [u16; 2],
    store: &'s str,
    programs: [Option<Program>; 2],
}

/// Long enough for HAProxy to see it twice; nginx and a balancer need none of it.
const LAME_DUCK: &str = "3000";

impl<'s> Pair<'s> {
    fn start(store: &'s str) -> Self {
        let ports = [free_port(), free_port()];
        let programs = ports.map(|port| Some(instance(port, store, LAME_DUCK)));
        Self { ports, store, programs }
    }

    fn end(&mut self, which: usize) {
        let program = self.programs[which].take().unwrap();
        program.signal("TERM");
        let _ = program.said_to_the_end();
        let (status, errors) = program.end();
        assert!(status.success(), "{status}: {errors:?}");
    }

    /// Starts one again, and waits until visitors come to it.
    fn start_again(&mut self, which: usize) {
        let program = instance(self.ports[which], self.store, LAME_DUCK);
        let _ = program.said("\"target\":\"/first\"");
        self.programs[which] = Some(program);
    }
}

fn drill(kind: Kind, store: &str) {
    let whole = env::var("DRILL").is_ok_and(|drill| drill == "whole");
    let site = run(Server::bind("127.0.0.1:0").unwrap(), |_: &mut Request<'_>| Response::text(""));
    let uri = format!("http://{}/", site.address());
    let mut pair = Pair::start(store);
    let front = Front::start(kind, pair.ports);
    let seen = Seen::default();
    let first = front.agent().post(front.url("/"));
    let first = first.send_form([("longuri", &*uri), ("shortname", "first")]).unwrap();
    assert_eq!(first.status(), 303);
    thread::scope(|scope| {
        for who in 0..SAVING {
            let (seen, front, uri) = (&seen, &front, &uri);
            scope.spawn(move || seen.save(&front.agent(), front, who, uri));
        }
        for _ in 0..READING {
            let (seen, front) = (&seen, &front);
            scope.spawn(move || seen.read(&front.agent(), front));
        }
        // Also where something here fails: else the visitors would go on for ever.
        let _enough = OnDrop(&seen.enough);
        for _ in 0..if whole { 2 } else { 1 } {
            for which in [0, 1] {
                seen.wait_for(500, 50);
                pair.end(which);
                seen.wait_for(500, 50);
                pair.start_again(which);
            }
        }
        seen.wait_for(500, 50);
        assert_eq!(seen.failures(), (vec![], vec![]), "{kind:?}: ended and started");

        // Until it is gone, connections are still made to it. Who is on one when it goes cannot know what
        // became of his save, or has half an answer.
        pair.programs[0].take().unwrap().kill();
        let gone = Instant::now();
        seen.wait_for(500, 50);
        pair.start_again(0);
        seen.wait_for(500, 50);
        let (failed, broken_off) = seen.failures();
        let in_flight = broken_off.iter().all(|(begun, _)| *begun < gone);
        assert!(failed.is_empty() && in_flight, "{kind:?}: {failed:?} {broken_off:?}");
        println!("{kind:?}: killed, {} broke off", broken_off.len());
    });
    // What was acknowledged is there.
    let saved = seen.saved.into_inner().unwrap();
    let all = front.agent().get(front.url("/.export")).call().unwrap();
    let all = all.into_body().read_to_string().unwrap();
    let lost: Vec<_> =
        saved.iter().filter(|name| !all.contains(&format!("\"name\":\"{name}\""))).collect();
    assert!(lost.is_empty() && !saved.is_empty(), "{kind:?}: {lost:?}");
    let (reads, saves) = (seen.reads.into_inner(), seen.saves.into_inner());
    println!("{kind:?}: {reads} GET, {saves} POST, {} saved", saved.len());
}

/// Sets a flag when it goes.
pub(crate) struct OnDrop<'f>(pub(crate) &'f AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn drill_on_a_log(kind: Kind) {
    let folder = Folder::new();
    drill(kind, &folder.file("bookmarks.log"));
}

fn drill_on_redis(kind: Kind) {
    let redis = Redis::start();
    drill(kind, &redis.store());
}

#[test]
fn the_outage_drill_behind_nginx_on_a_shared_log() {
    drill_on_a_log(Kind::Nginx);
}

#[test]
fn the_outage_drill_behind_nginx_on_redis() {
    drill_on_redis(Kind::Nginx);
}

#[test]
fn the_outage_drill_behind_haproxy_on_a_shared_log() {
    drill_on_a_log(Kind::HAProxy);
}

#[test]
fn the_outage_drill_behind_haproxy_on_redis() {
    drill_on_redis(Kind::HAProxy);
}

#[test]
fn the_outage_drill_behind_the_balancer_on_a_shared_log() {
    drill_on_a_log(Kind::Balancer);
}

#[test]
fn the_outage_drill_behind_the_balancer_on_redis() {
    drill_on_redis(Kind::Balancer);
}
