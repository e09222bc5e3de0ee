//! A connection that breaks at each byte and at each step, in memory: the clock is a script's, so each
//! of some thousands of cases costs nothing and is the same every time.

use std::io::{self, ErrorKind};
use std::time::Duration;

use harness::talk::{Clock, Road, Travel};
use longhand::transport::{Happened, Scripted};
use longhand::{Limits, Why};

use crate::conversation::{MESSAGES, is_between, messages_in, serve, told, wanted, whole};

/// That the answers are those of the whole messages, and behind them at most one more: a refusal with
/// this status, or the answer of the handler that reads no body.
fn assert_answered(output: &[u8], messages: usize, refusal: u16, place: &str) {
    let (told, wanted) = (told(output), wanted());
    let (first, more) = told.split_at(messages.min(told.len()));
    assert_eq!(first, &wanted[..messages], "{place}");
    match more {
        [] => {}
        [last] if *last == (200, b"ignored".to_vec()) && messages == 5 => {}
        [(status, _)] if *status == refusal => {}
        _ => panic!("{place}: {more:?}"),
    }
}

#[test]
fn a_peer_that_ends_behind_any_byte_gets_the_answers_to_what_was_whole() {
    let bytes = whole();
    for length in 0..=bytes.len() {
        let mut peer = Scripted::new().send(&bytes[..length]).end();
        let served = serve(&mut peer);
        let place = format!("ended behind {length} bytes");
        assert_answered(&peer.output(), messages_in(length), 400, &place);
        assert!(!is_between(length) || served.why == Why::PeerClosed, "{place}");
        assert!(served.calls.len() <= messages_in(length) + 1, "{place}");
        assert_eq!(peer.elapsed(), Duration::ZERO, "{place}: nobody is there to wait for");
    }
}

#[test]
fn a_peer_that_falls_silent_behind_any_byte_is_told_and_left_in_time() {
    let (bytes, limits) = (whole(), Limits::default());
    for length in 0..=bytes.len() {
        let mut peer = Scripted::new().send(&bytes[..length]);
        let served = serve(&mut peer);
        let place = format!("silent behind {length} bytes");
        assert_answered(&peer.output(), messages_in(length), 408, &place);
        assert_eq!(served.why == Why::Idle, is_between(length), "{place}: {:?}", served.why);
        let latest = if is_between(length) { limits.idle } else { limits.head_time };
        assert!(peer.elapsed() <= latest + limits.linger_time, "{place}: {:?}", peer.elapsed());
    }
}

#[test]
fn a_peer_that_resets_behind_any_byte_is_answered_nothing_more() {
    let bytes = whole();
    for length in 0..=bytes.len() {
        for pause in [Duration::ZERO, Duration::from_millis(1)] {
            let mut peer = Scripted::new().send(&bytes[..length]).wait(pause).reset();
            let served = serve(&mut peer);
            let place = format!("reset behind {length} bytes");
            assert_eq!(served.why, Why::Failed, "{place}");
            let told = told(&peer.output());
            assert!(told.len() <= messages_in(length) + 1, "{place}: {told:?}");
            assert!(wanted().starts_with(&told), "{place}: {told:?}");
            assert_eq!(peer.elapsed(), pause, "{place}");
        }
    }
}

#[test]
fn a_peer_that_stops_reading_behind_any_byte_gets_the_beginning_and_is_cut() {
    let bytes = whole();
    let mut reads_all = Scripted::new().send(&bytes).end();
    serve(&mut reads_all);
    let output = reads_all.output();
    for length in 0..output.len() {
        let mut peer = Scripted::new().send(&bytes).end().takes_only(length);
        let served = serve(&mut peer);
        let place = format!("takes {length} bytes");
        assert_eq!(peer.output(), output[..length], "{place}");
        assert_eq!(served.why, Why::Failed, "{place}");
        let stalls = peer.happened().iter().filter(|(_, what)| *what == Happened::Stalled);
        assert_eq!(stalls.count(), 1, "{place}: written on after a write had failed");
        assert_eq!(peer.elapsed(), Limits::default().write_stall, "{place}");
    }
}

/// Serves the conversation, which comes in halves of messages, over a road whose step of this number
/// fails. Gives whether there was such a step, and what came of it.
fn fail_at(step: usize, kind: ErrorKind) -> (bool, Why, Vec<u8>) {
    let peer = MESSAGES.iter().fold(Scripted::new(), |peer, message| {
        let (first, second) = message.split_at(message.len() / 2);
        peer.send(first).send(second)
    });
    let (clock, mut steps) = (Clock::default(), 0);
    let mut toll = |_: Travel| {
        steps += 1;
        if steps == step { Err(io::Error::from(kind)) } else { Ok(()) }
    };
    let mut road = Road::new(peer.end(), &clock, &mut toll);
    let served = serve(&mut road);
    let output = road.peer.output();
    (steps >= step, served.why, output)
}

#[test]
fn whichever_step_fails_and_however_it_ends_the_connection_and_nothing_else() {
    let (_, _, whole) = fail_at(0, ErrorKind::Other);
    assert_eq!(told(&whole), wanted());
    for kind in [
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::NotConnected,
        ErrorKind::BrokenPipe,
        ErrorKind::OutOfMemory,
        ErrorKind::NetworkDown,
        ErrorKind::HostUnreachable,
        ErrorKind::PermissionDenied,
        ErrorKind::Other,
    ] {
        for step in 1.. {
            let (happened, why, output) = fail_at(step, kind);
            if !happened {
                assert!(step > 20, "{step} steps are no conversation");
                break;
            }
            assert_eq!(why, Why::Failed, "{kind:?} at step {step}");
            assert!(whole.starts_with(&output), "{kind:?} at step {step}");
        }
    }
}

#[test]
fn a_signal_at_any_step_changes_nothing() {
    let (_, why, whole) = fail_at(0, ErrorKind::Other);
    for step in 1.. {
        let (happened, interrupted, output) = fail_at(step, ErrorKind::Interrupted);
        assert_eq!((interrupted, &output), (why, &whole), "step {step}");
        if !happened {
            return;
        }
    }
}
