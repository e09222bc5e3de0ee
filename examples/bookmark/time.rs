//! Times as seconds since 1970, and as text that people and programs read alike (RFC 3339).
//!
//! `2026-11-26T09:30:00Z`: always UTC and whole seconds, so that the text sorts as the times do and
//! what is written and read again is the same byte for byte.

use std::time::{SystemTime, UNIX_EPOCH};

/// The last second that has four digits for its year.
const LAST: u64 = 253_402_300_799;

/// A clock's time in whole seconds; what is before 1970 is 1970.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A second as text. What comes after the year 9999 is its end.
pub(crate) fn text(second: u64) -> String {
    let second = second.min(LAST);
    let (year, month, day) = date(second / 86_400);
    let (hour, minute, second) = (second / 3_600 % 24, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The second that such a text names, if it is one: in the form in which it is written here.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse::<u64>().ok())?
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let time = number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    let second = days(year, month, day)?.checked_mul(86_400)? + time;
    // Writing it again judges the rest: separators, and days that there are not.
    (self::text(second) == text).then_some(second)
}

/// Days since 1970-01-01 as year, month and day, in the Gregorian calendar (after Howard Hinnant's
/// `civil_from_days`). Years begin in March here, so that the day that some of them lack is their last: 1,460,
/// 36,524 and 146,096 are the days of 4, 100 and 400 years but one, and five months from March on have 153.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, day) = (days / 146_097, days % 146_097); // 400 years
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // 0 is March
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year, if month < 10 { month + 3 } else { month - 9 });
    (year + u64::from(month < 3), month, day)
}

/// Days from 1970-01-01 to a date, the other way round.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let year = year.checked_sub(u64::from(month < 3))?;
    let month = if month > 2 { month - 3 } else { month + 9 };
    let in_year = (153 * month + 2) / 5 + day - 1;
    (year * 365 + year / 4 - year / 100 + year / 400 + in_year).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_back() {
        for (second, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (784_111_777, "1994-11-06T08:49:37Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(text(second), written);
            assert_eq!(parse(written), Some(second));
        }
        for day in (0..2_932_896).step_by(17) {
            assert_eq!(parse(&text(day * 86_400 + 3_661)), Some(day * 86_400 + 3_661));
        }
        assert_eq!(text(u64::MAX), text(LAST));
    }

    #[test]
    fn what_is_no_such_text_is_refused() {
        for bad in [
            "",
            "1994-11-06",
            "1994-11-06T08:49:37",
            "1994-11-06t08:49:37Z",
            "1994-11-06T08:49:37+00:00",
            "1994-11-06T08:49:37.5Z",
            "1994-11-31T08:49:37Z",
            "2100-02-29T00:00:00Z",
            "1994-13-06T08:49:37Z",
            "1994-00-06T08:49:37Z",
            "1994-11-00T08:49:37Z",
            "1994-11-06T24:00:00Z",
            "1994-11-06T08:60:37Z",
            "1969-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "+994-11-06T08:49:37Z",
            "1994-11-06T08:49:37Zé",
            "199é-11-06T08:49:37Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
