//! What is set, and how it ends.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use harness::latch::Latch;
use harness::program::{command, run};
use longhand::{Request, Response};

use crate::{address, get, named, serve, unchecked};

#[test]
fn a_bad_setting_or_argument_is_named_and_ends_the_program_with_2() {
    const ADDRESSES: &str = "expected addresses like 127.0.0.1:8001,127.0.0.1:8002\n";
    for (name, value, wanted) in [
        ("BACKENDS", "", ADDRESSES),
        ("BACKENDS", "127.0.0.1", ADDRESSES),
        ("BACKENDS", "127.0.0.1:1,", ADDRESSES),
        ("POLICY", "random", "expected `round-robin` or `least-in-flight`\n"),
        ("HEALTH", "up", "expected a path, such as /.healthz\n"),
        ("HEALTH", "/a\r\nB: c", "expected a path, such as /.healthz\n"),
        ("HEALTH_MS", "x", "expected a number of milliseconds\n"),
        ("ANSWER_MS", "0", "expected more than no time\n"),
        ("CONNECT_MS", "0", "expected more than no time\n"),
        ("EJECT_MS", "-1", "expected a number of milliseconds\n"),
    ] {
        let mut settings = vec![("PORT", "0"), ("BACKENDS", "127.0.0.1:1")];
        settings.retain(|(other, _)| *other != name);
        settings.push((name, value));
        let (code, output, errors) = run(command("balancer", &settings));
        assert_eq!((code, output.as_str()), (2, ""), "{name}={value}");
        assert_eq!(errors, format!("{name}={value}: {wanted}"));
    }
    let settings = [("PORT", "0"), ("BACKENDS", "127.0.0.1:1"), ("TRUSTED_PROXIES", "me")];
    let (code, _, errors) = run(command("balancer", &settings));
    assert_eq!(code, 2);
    assert!(errors.starts_with("TRUSTED_PROXIES=me: expected trusted proxy 1"), "{errors}");
    let (code, _, errors) = run(command("balancer", &[]));
    assert_eq!((code, errors), (2, format!("BACKENDS=: {ADDRESSES}")));
    let mut argument = command("balancer", &[]);
    argument.arg("127.0.0.1:8001");
    assert_eq!(run(argument).0, 2);
    let mut help = command("balancer", &[]);
    help.arg("--help");
    let (code, output, errors) = run(help);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.starts_with("balancer: "), "{output}");
}

#[cfg(unix)]
#[test]
fn what_has_begun_is_finished_when_it_is_asked_to_end() {
    let (door, (began, begun)) = (Latch::default(), channel());
    let (wait, began) = (door.clone(), Mutex::new(began));
    let slow = serve(move |_: &mut Request<'_>| {
        began.lock().unwrap().send(()).unwrap();
        wait.pass();
        Response::text("at last")
    });
    let balancer = unchecked(&[&address(&slow)], &[]);
    let mut resting = balancer.client();
    // Its page is nobody's request.
    assert_eq!(resting.get("/.balancer").answer().status, 200);
    let mut waiting = balancer.client();
    waiting.get("/");
    begun.recv().unwrap();
    balancer.signal("TERM");
    resting.expect_end();
    door.open();
    let answer = waiting.answer();
    assert_eq!((answer.text().as_str(), answer.closes()), ("at last", true));
    waiting.expect_end();
    drop(waiting);
    let (status, errors) = balancer.end();
    assert!(status.success() && errors.is_empty(), "{status} {errors:?}");
}

#[cfg(unix)]
#[test]
fn in_its_lame_duck_it_tells_those_in_front_and_goes_on() {
    let server = named("on");
    let balancer = unchecked(&[&address(&server)], &[("LAME_DUCK_MS", "3600000")]);
    assert_eq!(get(&balancer, "/.balancer").status, 200);
    balancer.signal("TERM");
    crate::until("it says no", || get(&balancer, "/.balancer").status == 503);
    assert_eq!(get(&balancer, "/").text(), "on");
}
