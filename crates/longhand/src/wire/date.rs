//! Dates: written in one format, read in three (RFC 9110 section 5.6.7).
//!
//! Seconds since 1970 enter or leave; no clock is read here.

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// The last second whose year has four digits: 9999-12-31 23:59:59.
const LAST: u64 = 253_402_300_799;

// ABNF: IMF-fixdate = day-name "," SP date1 SP time-of-day SP GMT
/// Writes seconds since 1970 as an IMF-fixdate. Beyond the year 9999, which the format cannot hold,
/// the last second of it is written.
///
/// ```
/// assert_eq!(&longhand::wire::format_date(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
#[must_use]
pub fn format_date(seconds: u64) -> [u8; 29] {
    let seconds = seconds.min(LAST);
    let days = seconds / 86_400;
    let (year, month, day) = civil(days);
    let mut text = *b"Day, 00 Mon 0000 00:00:00 GMT";
    text[..3].copy_from_slice(&day_name(days).as_bytes()[..3]);
    digits(&mut text[5..7], day);
    if let Some(name) = MONTHS.chunks_exact(3).nth(usize::try_from(month - 1).unwrap_or(0)) {
        text[8..11].copy_from_slice(name);
    }
    digits(&mut text[12..16], year);
    digits(&mut text[17..19], seconds / 3_600 % 24);
    digits(&mut text[20..22], seconds / 60 % 60);
    digits(&mut text[23..25], seconds % 60);
    text
}

/// The name of a day since 1970, which began on a Thursday.
fn day_name(days: u64) -> &'static str {
    DAYS[usize::try_from((days + 3) % 7).unwrap_or(0)]
}

/// Fills `place` with the decimal digits of `number`, zeros in front.
fn digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

// ABNF: HTTP-date = IMF-fixdate / obs-date; obs-date = rfc850-date / asctime-date
/// Reads a date in any of the three formats into seconds since 1970. `now` decides the century of a
/// two-digit year: one that seems more than fifty years ahead is the last with these digits.
///
/// `None` for anything else, for a day that does not exist or a name of the day that is not its
/// own, and for dates before 1970.
///
/// ```
/// use longhand::wire::parse_date;
/// for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
///     assert_eq!(parse_date(date.as_bytes(), 1_700_000_000), Some(784_111_777));
/// }
/// ```
#[must_use]
pub fn parse_date(text: &[u8], now: u64) -> Option<u64> {
    let (day_name, rest) = match text {
        [_, _, _, b',', b' ', rest @ ..] => (&text[..3], imf(rest)?),
        [_, _, _, b' ', rest @ ..] => (&text[..3], asctime(rest)?),
        _ => {
            let comma = text.iter().position(|&octet| octet == b',')?;
            let rest = text[comma..].strip_prefix(b", ")?;
            (&text[..comma], rfc850(rest, now)?)
        }
    };
    let (year, month, day, time) = rest;
    let days = days_of(year, month, day)?;
    let own_name = self::day_name(days).as_bytes();
    let is_own =
        if day_name.len() == 3 { &own_name[..3] == day_name } else { own_name == day_name };
    is_own.then_some(days * 86_400 + time)
}

/// Year, month, day, and seconds of the day.
type Civil = (u64, u64, u64, u64);

/// `06 Nov 1994 08:49:37 GMT`
fn imf(text: &[u8]) -> Option<Civil> {
    let [d1, d2, b' ', m1, m2, m3, b' ', y1, y2, y3, y4, b' ', time @ ..] = text else {
        return None;
    };
    let time = time_of_day(time.strip_suffix(b" GMT")?)?;
    Some((number(&[*y1, *y2, *y3, *y4])?, month(&[*m1, *m2, *m3])?, number(&[*d1, *d2])?, time))
}

/// `06-Nov-94 08:49:37 GMT`
fn rfc850(text: &[u8], now: u64) -> Option<Civil> {
    let [d1, d2, b'-', m1, m2, m3, b'-', y1, y2, b' ', time @ ..] = text else { return None };
    let time = time_of_day(time.strip_suffix(b" GMT")?)?;
    let this_year = civil(now.min(LAST) / 86_400).0;
    let mut year = this_year - this_year % 100 + number(&[*y1, *y2])?;
    if year > this_year + 50 {
        year -= 100;
    }
    Some((year, month(&[*m1, *m2, *m3])?, number(&[*d1, *d2])?, time))
}

/// `Nov  6 08:49:37 1994`: a day of one digit has a second blank before it.
fn asctime(text: &[u8]) -> Option<Civil> {
    let [m1, m2, m3, b' ', d1, d2, b' ', time @ ..] = text else { return None };
    let (time, year) = time.split_at_checked(8)?;
    let day = number(&[if *d1 == b' ' { b'0' } else { *d1 }, *d2])?;
    let [b' ', year @ ..] = year else { return None };
    let year = if year.len() == 4 { number(year)? } else { return None };
    Some((year, month(&[*m1, *m2, *m3])?, day, time_of_day(time)?))
}

/// `08:49:37`; a leap second counts as the second before it.
fn time_of_day(text: &[u8]) -> Option<u64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = text else { return None };
    let (hour, minute, second) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?);
    (hour < 24 && minute < 60 && second <= 60).then(|| hour * 3_600 + minute * 60 + second.min(59))
}

fn month(name: &[u8; 3]) -> Option<u64> {
    let place = MONTHS.chunks_exact(3).position(|month| month == name)?;
    Some(place as u64 + 1)
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, &digit| {
        digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
    })
}

/// Days since 1970 of a date, if it exists.
fn days_of(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || day == 0 {
        return None;
    }
    // Years begin in March here, so that the leap day is the last: see `civil`.
    let (shifted_year, shifted_month) =
        if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = shifted_year / 4 - shifted_year / 100 + shifted_year / 400;
    let days = shifted_year * 365 + leap_days + (shifted_month * 153 + 2) / 5 + day - 1;
    let days = days.checked_sub(EPOCH)?;
    (civil(days) == (year, month, day)).then_some(days)
}

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: u64 = 719_468;

/// The date of a day since 1970.
///
/// The calendar repeats every 400 years of 146,097 days. With years that begin in March the months
/// are 31 and 30 days long in a pattern of 153 days a five months, and the leap day comes last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (day_of_year * 5 + 2) / 153;
    let day = day_of_year - (shifted_month * 153 + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_hundred_years_and_the_last_come_back() {
        let mut wanted = (1970, 1, 1);
        for days in 0..293_000 {
            assert_eq!(civil(days), wanted);
            assert_eq!(days_of(wanted.0, wanted.1, wanted.2), Some(days));
            let leap = wanted.0 % 4 == 0 && (wanted.0 % 100 != 0 || wanted.0 % 400 == 0);
            let length = match wanted.1 {
                2 => 28 + u64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            wanted.2 += 1;
            if wanted.2 > length {
                wanted = (wanted.0, wanted.1 + 1, 1);
            }
            if wanted.1 > 12 {
                wanted = (wanted.0 + 1, 1, 1);
            }
        }
        assert_eq!(&format_date(LAST), b"Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(format_date(u64::MAX), format_date(LAST));
    }

    #[test]
    fn what_is_written_is_read() {
        for seconds in (0..LAST).step_by(86_400 * 397 + 3_671) {
            assert_eq!(parse_date(&format_date(seconds), 0), Some(seconds));
        }
    }

    #[test]
    fn two_digit_years_lie_within_fifty_years_to_come() {
        let now = 1_795_000_000; // November 2026
        assert_eq!(parse_date(b"Sunday, 06-Nov-94 08:49:37 GMT", now), Some(784_111_777));
        assert!(
            parse_date(b"Friday, 06-Nov-76 08:49:37 GMT", now).is_some(),
            "2076 is fifty years ahead"
        );
        assert_eq!(
            parse_date(b"Sunday, 06-Nov-77 08:49:37 GMT", now),
            Some(247_654_177),
            "2077 is not: 1977"
        );
    }

    #[test]
    fn what_is_no_date_is_none() {
        for bad in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "784111777",
            "Sun, 00 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse_date(bad.as_bytes(), 0), None, "{bad}");
        }
        assert_eq!(parse_date(b"Sat, 31 Dec 2016 23:59:60 GMT", 0), Some(1_483_228_799));
    }
}
