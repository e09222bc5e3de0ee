//! Conversations, played.

use std::time::Duration;

use harness::talk::{Talk, talk_of};
use longhand::transport::{Happened, Scripted};
use longhand::{Limits, Why};

use crate::entries::{Entry, lines};
use crate::scenes::{SCENES, Scene, Step};
use crate::sections::listed;
use crate::told::{Told, settled, status};

/// All conversations.
pub(crate) fn entries() -> Vec<Entry> {
    SCENES.iter().map(play).collect()
}

fn play(scene: &Scene) -> Entry {
    let (peer, sent) = scene.steps.iter().fold((Scripted::new(), String::new()), step);
    let methods: &[&str] = if sent.starts_with("HEAD ") { &["HEAD"] } else { &[] };
    let talk = talk_of(peer, methods, &Limits::default(), scene.handler);
    let told = told(&talk);
    // What a refusal says stands in its words.
    let answered = if told.rule.is_none() { lines(&talk.peer.output()) } else { String::new() };
    Entry {
        section: listed(scene.section),
        is_response: false,
        title: scene.title.to_owned(),
        about: scene.about.to_owned(),
        sent,
        told,
        answered,
    }
}

/// Adds a step to the script, and to what is shown of it.
fn step((peer, shown): (Scripted, String), step: &Step) -> (Scripted, String) {
    let (peer, more) = match *step {
        Step::Send(text) => (peer.send(text), lines(text.as_bytes())),
        Step::Many(octet, count) => {
            (peer.send(vec![octet; count]), format!("\\{{{count}*{}}}\n", char::from(octet)))
        }
        Step::Wait(seconds) => {
            let pause = Duration::from_secs(seconds);
            (peer.wait(pause), format!("(nothing for {seconds} s)\n"))
        }
        Step::Drip(octet, count) => {
            let shown = format!("(one a second) \\{{{count}*{}}}\n", char::from(octet));
            (peer.drip(vec![octet; count], Duration::from_secs(1)), shown)
        }
        Step::End => (peer.end(), "(the peer ends its side)\n".to_owned()),
        Step::Reset => (peer.reset(), "(the peer resets the connection)\n".to_owned()),
        Step::TakesOnly(bytes) => {
            let shown = format!("(the peer reads {bytes} bytes of the answer, and no more)\n");
            (peer.takes_only(bytes), shown)
        }
    };
    (peer, shown + &more)
}

fn told(talk: &Talk) -> Told {
    let mut told = match talk.answers.last() {
        None => Told {
            short: "closed".to_owned(),
            long: "There is no answer.".to_owned(),
            ..Told::default()
        },
        Some(_) => settled(talk, |answer| status(answer.status)),
    };
    let wrote = |(_, happened): &&(Duration, Happened)| matches!(happened, Happened::Wrote(_));
    let last = talk.peer.happened().iter().rev().find(wrote).map(|(at, _)| at.as_secs());
    if let Some(at @ 1..) = last {
        told.long += &format!(" The last of it comes after {at} s.");
    }
    // Where the server closes, what follows is no more than the lingering.
    let lingers = talk.why == Why::ServerAsked || talk.why == Why::PeerAsked;
    let over = talk.peer.elapsed().as_secs();
    if talk.why == Why::Idle && !talk.answers.is_empty() {
        let rested = over - last.unwrap_or_default();
        told.long += &format!(" It is closed once it has rested for {rested} s.");
    } else if over > 0 && !lingers {
        told.long += &format!(" The connection is over after {over} s.");
    }
    told
}
