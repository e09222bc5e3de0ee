//! What stands where in Redis, and the scripts that change it.
//!
//! ```text
//! bookmark:names        hash    name -> "created visits last URI": seconds since 1970, `-` for never
//! bookmark:log          stream  one entry for each change: the name, and a tag that no other call has
//! bookmark:session:KEY  string  the record of a session, which expires
//! ```
//!
//! A [`Kept`] enters, its text leaves, and the other way round. One field for each bookmark, so that a
//! redirect is one `HMGET` and its text can be read and mended with `redis-cli`:
//!
//! ```text
//! HGET bookmark:names rust        "1795685400 12 1795687200 https://www.rust-lang.org/"
//! DEL bookmark:log                afterwards, where a list shall show what was changed by hand
//! ```
//!
//! Each call is one script, which Redis runs alone and writes to its own log as a whole: no other
//! instance comes between a condition and its change, and a crash leaves neither half. The entry of the
//! log comes first in a script, so that a key of another kind ends it before anything is changed.
//!
//! Redis 7.0 or later, or what descends from it. All keys of a script lie in one hash slot only by
//! chance: a cluster refuses them.

use super::Kept;
use crate::rules::{Name, Uri};

/// Bytes of a name or a text that an error shows.
const SHOWN: usize = 100;

pub(super) const NAMES: &[u8] = b"bookmark:names";
pub(super) const LOG: &[u8] = b"bookmark:log";
pub(super) const SESSION: &str = "bookmark:session:";

/// Makes changes in their order. Of each: the name; `any`, `free` or `leads`; the URI of the latter; what
/// is to be kept, or nothing to delete. Answers for each 1, or what is there instead.
pub(super) const CHANGE: &[u8] = br"
local names, log, tag = KEYS[1], KEYS[2], ARGV[1]
local outcomes = {}
for at = 2, #ARGV, 4 do
  local name, when, uri, to = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local there = redis.call('HGET', names, name)
  if when == 'any' or when == 'free' and not there
      or when == 'leads' and there and string.match(there, '%S*$') == uri then
    local rest = there and string.match(there, '^%d+ %d+ [-%d]+ ')
    if rest and to ~= '' then to = rest .. string.match(to, '%S*$') end
    if to ~= (there or '') then
      redis.call('XADD', log, 'MAXLEN', '~', 100000, '*', name, tag)
      if to == '' then redis.call('HDEL', names, name) else redis.call('HSET', names, name, to) end
    end
    outcomes[#outcomes + 1] = 1
  else
    outcomes[#outcomes + 1] = there
  end
end
return outcomes
";

/// Adds visits to what is there, up to what a number of Lua holds exactly. Of each: the name, how many,
/// the second of the last.
pub(super) const VISIT: &[u8] = br"
local names, log, tag = KEYS[1], KEYS[2], ARGV[1]
for at = 2, #ARGV, 3 do
  local name, more, second = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local there = redis.call('HGET', names, name) or ''
  local created, visits, last, uri = string.match(there, '^(%d+) (%d+) ([-%d]+) (%S+)$')
  if created then
    visits = string.format('%.0f', math.min(visits + more, 9007199254740991))
    if last == '-' or tonumber(last) < tonumber(second) then last = second end
    redis.call('XADD', log, 'MAXLEN', '~', 100000, '*', name, tag)
    redis.call('HSET', names, name, table.concat({created, visits, last, uri}, ' '))
  end
end
";

/// Puts a session's record for so many milliseconds if what is there is what was seen: the third
/// argument, or nothing.
pub(super) const PUT: &[u8] = br"
if redis.call('GET', KEYS[1]) ~= (ARGV[3] or false) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
";

/// What is kept, as text.
pub(super) fn written(kept: &Kept) -> String {
    let last = kept.last.map_or_else(|| "-".to_owned(), |last| last.to_string());
    format!("{} {} {last} {}", kept.created, kept.visits, kept.uri)
}

/// A field of the hash, if it is one that this program may have written: by the rules of forms. What
/// somebody put there by hand is judged like what a stranger types.
pub(super) fn read(name: &[u8], text: &[u8]) -> Result<(Name, Kept), String> {
    let bad = |why: String| {
        let [name, text] = [name, text].map(|bytes| bytes[..bytes.len().min(SHOWN)].escape_ascii());
        format!("the bookmark `{name}` is `{text}`: {why}")
    };
    let utf8 = |bytes| str::from_utf8(bytes).map_err(|_| bad("wanted UTF-8".to_owned()));
    let (name, text) = (utf8(name)?, utf8(text)?);
    let name = Name::parse(name).map_err(|refused| bad(refused.to_string()))?;
    let parts: Vec<&str> = text.split(' ').collect();
    let [created, visits, last, uri] = parts[..] else {
        return Err(bad("wanted created, visits, last and URI with a blank between".to_owned()));
    };
    let number = |what, text: &str| {
        text.parse::<u64>().map_err(|_| bad(format!("wanted seconds or a number as {what}")))
    };
    let last = if last == "-" { None } else { Some(number("last", last)?) };
    let (created, visits) = (number("created", created)?, number("visits", visits)?);
    let parsed = Uri::parse(uri).map_err(|refused| bad(refused.to_string()))?;
    if parsed.as_str() != uri {
        return Err(bad(format!("wanted the URI as `{}`", parsed.as_str())));
    }
    Ok((name, Kept { visits, last, ..Kept::new(&parsed, created) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bookmark_is_written_and_read_back() {
        for (last, text) in [
            (None, "1000000000 0 - http://example.org/?a=b"),
            (Some(7), "1000000000 0 7 http://example.org/?a=b"),
        ] {
            let uri = "http://example.org/?a=b".to_owned();
            let kept = Kept { uri, created: 1_000_000_000, visits: 0, last };
            assert_eq!(written(&kept), text);
            let (name, again) = read("käse/1 2".as_bytes(), text.as_bytes()).unwrap();
            assert_eq!((name.as_str(), again), ("käse/1 2", kept));
        }
    }

    #[test]
    fn what_somebody_spoiled_by_hand_is_named() {
        for (name, text, wanted) in [
            (&b"a"[..], &b"http://example.org/"[..], "wanted created"),
            (b"a", b"1 0 - http://example.org/ x", "wanted created"),
            (b"a", b"now 0 - http://example.org/", "as created"),
            (b"a", b"1 -1 - http://example.org/", "as visits"),
            (b"a", b"1 0 never http://example.org/", "as last"),
            (b"a", b"1 0 - javascript:alert(1)", "URI: wanted http"),
            (b"a", b"1 0 - ", "URI: "),
            (b"a", "1 0 - http://example.org/ä".as_bytes(), "/%C3%A4`"),
            (b"a", b"1 0 - http://example.org/\xff", "UTF-8"),
            (b"\xff", b"1 0 - http://example.org/", "UTF-8"),
            (b".all", b"1 0 - http://example.org/", "name: wanted"),
            (b"a\x1b", b"1 0 - http://example.org/", "name: wanted"),
        ] {
            let why = read(name, text).unwrap_err();
            assert!(why.contains(wanted), "{why}");
            assert!(!why.contains(char::is_control), "{why:?}");
        }
    }
}
