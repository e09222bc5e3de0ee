//! Whom a Redis lets in, and what is said where it does not.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use harness::program::{command, run};
use harness::redis::Redis;

use crate::asked::{save, site};
use crate::{leads, on};

/// What a server says that does not start.
fn refused(store: &str) -> String {
    let settings = [("PORT", "0"), ("HOST", "127.0.0.1"), ("STORE", store)];
    let (code, _, errors) = run(command("bookmark", &settings));
    assert_eq!(code, 2, "{errors}");
    errors
}

#[test]
fn a_password_or_a_user_of_its_own_lets_in_and_a_wrong_one_is_refused_and_not_repeated() {
    let (redis, site) = (Redis::start(), site());
    let uri = format!("http://{}/", site.address());
    redis.tell(&["ACL", "SETUSER", "me", "on", ">p@ss/word", "~bookmark:*", "+@all"]);
    redis.tell(&["CONFIG", "SET", "requirepass", "secret"]);
    let server = on(&redis.store_as(":secret@"));
    assert_eq!(save(&server, "a", &uri).status, 303);
    let server = on(&redis.store_as("me:p%40ss%2Fword@"));
    assert_eq!(leads(&server, "a"), Ok(uri));
    for (who, wanted) in [
        (":guess-of-mine@", "WRONGPASS"),
        ("me:guess-of-mine@", "WRONGPASS"),
        ("you:guess-of-mine@", "WRONGPASS"),
        ("", "NOAUTH"),
    ] {
        let errors = refused(&redis.store_as(who));
        assert!(errors.starts_with("STORE: redis://127.0.0.1:"), "{errors}");
        assert!(errors.contains(wanted) && !errors.contains("guess-of-mine"), "{errors}");
    }
}

#[test]
fn databases_are_apart() {
    let (redis, site) = (Redis::start(), site());
    let uri = format!("http://{}/", site.address());
    let [first, second] = ["/1", "/2"].map(|number| on(&(redis.store() + number)));
    assert_eq!(save(&first, "a", &uri).status, 303);
    assert_eq!((leads(&first, "a"), leads(&second, "a")), (Ok(uri), Err(404)));
    let errors = refused(&(redis.store() + "/99"));
    assert!(errors.contains("out of range"), "{errors}");
}

#[test]
fn what_is_no_redis_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let store = format!("redis://{}", listener.local_addr().unwrap());
    let other = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut some = [0; 64];
        let _ = stream.read(&mut some);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    let errors = refused(&store);
    assert!(errors.starts_with("STORE: redis://127.0.0.1:"), "{errors}");
    other.join().unwrap();
}
