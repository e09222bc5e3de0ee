//! Several instances on one Redis: each sees what the others did.

use std::sync::Barrier;
use std::thread;

use harness::program::Program;
use harness::redis::Redis;

use crate::asked::{get, post, save, send, site};
use crate::{leads, on, on_with};

const JSON: [(&str, &str); 1] = [("Accept", "application/json")];

fn list(server: &Program) -> String {
    send("GET", &server.url, &JSON, None).body
}

#[test]
fn what_one_changes_the_other_shows_at_once() {
    let (redis, site) = (Redis::start(), site());
    let servers = [on(&redis.store()), on(&redis.store())];
    let at = |path: &str| format!("http://{}{path}", site.address());
    for round in 0..10 {
        let (one, other) = (&servers[round % 2], &servers[1 - round % 2]);
        let name = format!("n{round}");
        assert_eq!(save(one, &name, &at("/")).status, 303);
        assert_eq!(leads(other, &name), Ok(at("/")));
        assert!(list(other).contains(&format!("\"{name}\"")), "{}", list(other));
        let edit = format!("was={}&longuri={}", at("/"), at("/200"));
        assert_eq!(post(&format!("{}/.edit/{name}", other.url), &edit).status, 303);
        assert_eq!(leads(one, &name), Ok(at("/200")));
        assert!(list(one).contains(&at("/200")), "{}", list(one));
        // What the form was made from is no more.
        assert_eq!(post(&format!("{}/.edit/{name}", one.url), &edit).status, 409);
        assert_eq!(post(&format!("{}/.delete/{name}", one.url), "").status, 303);
        assert_eq!(leads(other, &name), Err(404));
        assert!(list(other).contains("\"total\":0"), "{}", list(other));
    }
}

#[test]
fn of_two_that_change_the_same_one_wins_and_the_other_is_told() {
    let (redis, site) = (Redis::start(), site());
    let servers = [on(&redis.store()), on(&redis.store())];
    let at = |path: &str| format!("http://{}{path}", site.address());
    let mut was = at("/");
    assert_eq!(save(&servers[0], "a", &was).status, 303);
    for round in 0..20 {
        let together = Barrier::new(2);
        let statuses = thread::scope(|scope| {
            let edits = [0, 1].map(|who| {
                let (url, together, was) = (&servers[who].url, &together, &was);
                let to = at(&format!("/?{round}-{who}"));
                scope.spawn(move || {
                    together.wait();
                    let edit = format!("was={was}&longuri={to}");
                    post(&format!("{url}/.edit/a"), &edit).status
                })
            });
            edits.map(|edit| edit.join().unwrap())
        });
        assert!(matches!(statuses, [303, 409] | [409, 303]), "{statuses:?}");
        let winner = usize::from(statuses[1] == 303);
        was = at(&format!("/?{round}-{winner}"));
        assert_eq!(leads(&servers[1 - winner], "a"), Ok(was.clone()));
    }
}

#[test]
fn visits_are_added_up_and_none_is_lost_by_a_drain() {
    let (redis, site) = (Redis::start(), site());
    let [one, other] = [on(&redis.store()), on(&redis.store())];
    assert_eq!(save(&one, "a", &format!("http://{}/", site.address())).status, 303);
    for (server, visits) in [(one, 30), (other, 12)] {
        for _ in 0..visits {
            assert!(leads(&server, "a").is_ok());
        }
        server.signal("TERM");
        assert!(server.end().0.success());
    }
    let third = on(&redis.store());
    let details = send("GET", &format!("{}/a+", third.url), &JSON, None).body;
    assert!(details.contains("\"visits\":42,"), "{details}");
}

#[test]
fn who_signed_in_at_one_is_known_to_the_other_until_signing_out_at_either() {
    let (redis, site) = (Redis::start(), site());
    let hash = longhand_kit::auth::PasswordHash::make("open", 1_000).unwrap().to_string();
    let servers = [(), ()].map(|()| on_with(&redis.store(), &[("PASSWORD", &hash)]));
    let signed_in = post(&format!("{}/.login", servers[0].url), "password=open");
    let cookie = signed_in.field("set-cookie").unwrap().split(';').next().unwrap();
    let cookie = [("Cookie", cookie)];
    let form = format!("shortname=a&longuri=http://{}/", site.address());
    let change =
        |server: &Program| send("POST", &server.url, &cookie, Some(form.as_bytes())).status;
    assert_eq!((change(&servers[0]), change(&servers[1])), (303, 303));
    let out = send("POST", &format!("{}/.logout", servers[1].url), &cookie, Some(b""));
    assert_eq!(out.status, 303);
    assert_eq!((change(&servers[0]), change(&servers[1])), (401, 401));
}

#[test]
fn what_somebody_else_emptied_is_empty() {
    let (redis, site) = (Redis::start(), site());
    let server = on(&redis.store());
    let uri = format!("http://{}/", site.address());
    assert_eq!(save(&server, "a", &uri).status, 303);
    assert!(list(&server).contains("\"total\":1"), "{}", list(&server));
    redis.tell(&["FLUSHALL"]);
    assert_eq!(leads(&server, "a"), Err(404));
    assert!(get(&server.url).body.contains("None yet."));
    assert_eq!(save(&server, "b", &uri).status, 303);
    assert!(list(&server).contains("\"total\":1"), "{}", list(&server));
}
