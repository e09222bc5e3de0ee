//! Which version of a file it is: its tag and its date (RFC 9110 section 8.8).
//!
//! What enters is what the system knows of an open file, what leaves are validators that no later
//! version can share, or none. A hash over the bytes would be surer and would read each file twice;
//! the inode, which Apache once added, differs between two machines that serve the same files.

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::etag::ETag;

/// The slowest clock of a file system, FAT's, ticks every two seconds: within one tick a file may
/// change and keep its date.
const TICK: Duration = Duration::from_secs(2);

/// The date that builds give to files so that they come out the same every time, and an archive
/// gives that knows none: 1970, or the second after.
const DATELESS: Duration = Duration::from_secs(1);

/// Tag and date of a file, of which `coding` was chosen; `None` where they could not tell it from
/// another version.
///
/// A tag that is only weak would not help: a client that asks whether a weak one has changed is told
/// that it has not (RFC 9110 section 13.1.2).
pub(super) fn version(
    facts: &Metadata,
    now: SystemTime,
    coding: Option<&str>,
) -> Option<(ETag, SystemTime)> {
    let modified = facts.modified().ok()?;
    let since = modified.duration_since(UNIX_EPOCH).ok()?;
    let is_settled = now.duration_since(modified).is_ok_and(|age| age >= TICK);
    if since <= DATELESS || !is_settled {
        return None;
    }
    // Two codings of a file are two representations, even where length and time are the same.
    let coding = coding.map_or_else(String::new, |coding| format!("-{coding}"));
    let text = format!("{:x}-{:x}{coding}", since.as_nanos(), facts.len());
    Some((ETag::new(text).ok()?, modified))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    #[test]
    fn only_a_date_that_no_later_version_can_have_makes_a_version() {
        let path = std::env::temp_dir().join(format!("longhand-version-{}", std::process::id()));
        let file = File::create(&path).unwrap();
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        let tag = |modified, now, coding| {
            file.set_modified(modified).unwrap();
            let found = version(&file.metadata().unwrap(), now, coding);
            found.map(|(tag, date)| {
                assert_eq!(date, modified);
                tag.to_string()
            })
        };
        let base = 784_111_777_000;
        assert_eq!(tag(at(base), at(base + 1_999), None), None, "one more change may follow");
        assert_eq!(tag(at(base), at(base - 1), None), None, "a date to come");
        let settled = tag(at(base), at(base + 2_000), None).unwrap();
        assert!(settled.starts_with('"'), "strong: {settled}");
        assert_ne!(
            Some(settled.clone()),
            tag(at(base + 1), at(base + 9_000), None),
            "one millisecond later"
        );
        assert_ne!(Some(settled.clone()), tag(at(base), at(base + 2_000), Some("br")));
        assert_eq!(
            Some(settled),
            tag(at(base), at(base + 100_000), None),
            "for as long as it stays"
        );
        for dateless in [0, 1_000] {
            assert_eq!(tag(at(dateless), at(base), None), None);
        }
        assert!(tag(at(2_000), at(base), None).is_some());
        fs::remove_file(path).unwrap();
    }
}
