//! Clocks that jump: the time of day goes back, leaps ahead, stands before 1970 or behind the year 9999.
//! Deadlines are kept by another clock, and a date is always one.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use harness::answer::answers;
use longhand::transport::{Interrupt, Scripted, Transport};
use longhand::wire::{format_date, parse_date};
use longhand::{Limits, Request, Response, serve_connection};

/// A scripted peer before a clock that shows one time after the other.
struct Jumping {
    peer: Scripted,
    times: Mutex<VecDeque<SystemTime>>,
}

impl Read for Jumping {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.peer.read(into)
    }
}

impl Write for Jumping {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.peer.write(bytes)
    }

    fn write_vectored(&mut self, bytes: &[IoSlice<'_>]) -> io::Result<usize> {
        self.peer.write_vectored(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.peer.flush()
    }
}

impl Transport for Jumping {
    fn set_read_deadline(&mut self, now: Instant, left: Option<Duration>) {
        self.peer.set_read_deadline(now, left);
    }

    fn set_write_stall(&mut self, limit: Duration) -> io::Result<()> {
        self.peer.set_write_stall(limit)
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.peer.close_write()
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer.peer()
    }

    fn local(&self) -> Option<SocketAddr> {
        self.peer.local()
    }

    fn interrupter(&self) -> Option<Arc<dyn Interrupt>> {
        self.peer.interrupter()
    }

    fn now(&self) -> Instant {
        self.peer.now()
    }

    fn wall(&self) -> SystemTime {
        let mut times = self.times.lock().unwrap();
        if times.len() > 1 { times.pop_front().unwrap() } else { times[0] }
    }
}

/// The dates of answers to as many requests, a second apart, while the clock shows these times.
fn dates(times: &[SystemTime]) -> Vec<String> {
    let peer = times.iter().fold(Scripted::new(), |peer, _| {
        peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").wait(Duration::from_secs(1))
    });
    let times = Mutex::new(times.iter().copied().collect());
    let mut jumping = Jumping { peer: peer.end(), times };
    serve_connection(&mut jumping, &Limits::default(), |_: &mut Request<'_>| Response::text("x"));
    let answers = answers(&jumping.peer.output(), &[]);
    answers.iter().map(|answer| answer.field("date").unwrap().to_owned()).collect()
}

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn the_date_follows_a_clock_that_goes_back_and_leaps_ahead() {
    // 1994, 2038 with its overflow, the day before 1994, 2100, 1970, 1994.
    let seconds = [784_111_777, 2_147_483_648, 784_025_377, 4_102_444_800, 0, 784_111_777];
    let wanted = seconds.map(|seconds| String::from_utf8(format_date(seconds).into()).unwrap());
    assert_eq!(dates(&seconds.map(at)), wanted);
}

#[test]
fn a_time_that_no_date_can_say_is_the_nearest_that_one_can() {
    // As far as this system counts.
    let mut last = UNIX_EPOCH;
    for power in (0..64).rev() {
        last = last.checked_add(Duration::from_secs(1 << power)).unwrap_or(last);
    }
    let first = (0..63).rev().fold(UNIX_EPOCH, |first, power| {
        first.checked_sub(Duration::from_secs(1 << power)).unwrap_or(first)
    });
    let never = 253_402_300_800;
    let times = [first, UNIX_EPOCH - SECOND, UNIX_EPOCH, at(never - 1), at(never), last, first];
    let (oldest, newest) = ("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_eq!(dates(&times), [oldest, oldest, oldest, newest, newest, newest, oldest]);
    for date in dates(&times) {
        assert!(parse_date(date.as_bytes(), 0).is_some(), "{date}");
    }
}

#[test]
fn deadlines_do_not_heed_the_time_of_day() {
    for time in [at(0), at(4_102_444_800)] {
        let peer = Scripted::new().send("GET / HTTP/1.1\r\nHo");
        let times = Mutex::new([at(784_111_777), time].into());
        let mut jumping = Jumping { peer, times };
        serve_connection(&mut jumping, &Limits::default(), |_: &mut Request<'_>| {
            Response::text("x")
        });
        let limits = Limits::default();
        assert_eq!(jumping.peer.elapsed(), limits.head_time + limits.linger);
    }
}
