//! A part as a file: a name that is fit for a disk, and the way onto it.
//!
//! Whatever happens, a file of the final name is whole: it is written under another name, synced, and
//! then given its own by a hard link, which fails if the name is taken. A rename would replace what is
//! there; looking first would leave time in between.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use longhand::{Refusal, Status};

use super::part::Part;
use crate::device::is_device;

/// Bytes of a name that Linux, macOS and Windows keep.
const MAX_NAME: usize = 255;

impl Part<'_, '_> {
    /// The last component of the [file's name](Self::file_name), if any system can keep a file under
    /// it and none takes it for something else.
    ///
    /// `None` for an empty name, one that begins with a dot or ends with a dot or a blank, one of more
    /// than 255 bytes, one that contains a control character or any of `< > : " | ? *`, and the names
    /// of Windows' devices, such as `nul.txt`. Slashes and backslashes both separate components.
    ///
    /// ```text
    /// photo.jpg -> photo.jpg      C:\Users\Ada\photo.jpg -> photo.jpg      ../../.ssh/config -> config
    /// ..        -> None           .htaccess              -> None           a.txt:stream      -> None
    /// ```
    ///
    /// ```
    /// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
    /// # use longhand_kit::multipart::{Multipart, PartLimits};
    /// # let check = |request: &mut Request<'_>| -> Result<Response, Response> {
    /// # let mut parts = Multipart::of(request, &PartLimits::default())?;
    /// # let part = parts.next()?.unwrap();
    /// // Content-Disposition: form-data; name="f"; filename="../../.ssh/config"
    /// assert_eq!(part.file_name(), Some("../../.ssh/config"));
    /// assert_eq!(part.safe_file_name(), Some("config"));
    /// # Ok(Response::text("")) };
    /// # let body = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../../.ssh/config\"\r\n\r\n\r\n--x--";
    /// # let mut client = Scripted::new().send(format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\
    /// #     Content-Type: multipart/form-data; boundary=x\r\n\r\n{body}", body.len())).end();
    /// # serve_connection(&mut client, &Limits::default(), check);
    /// # assert!(client.output_text().starts_with("HTTP/1.1 200 "), "{}", client.output_text());
    /// ```
    #[must_use]
    pub fn safe_file_name(&self) -> Option<&str> {
        safe_file_name(self.file_name()?)
    }

    /// Writes the rest of the content into a new file, and gives its length.
    ///
    /// The file appears once it is whole and on the disk: no reader finds half of it, also after a
    /// power failure. Until then its bytes stand beside it under a name that begins with `.upload-`,
    /// which is removed when anything goes wrong; only a killed process leaves one behind. The file
    /// system must know hard links: FAT does not.
    ///
    /// # Errors
    /// If there is a file of this name already, which stays as it is: a [`Refusal`] (409) of the kind
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists). If the disk says no: its error, which the
    /// client is not shown (500). Any other if the upload fails.
    pub fn save_as(&mut self, path: impl AsRef<Path>) -> io::Result<u64> {
        let path = path.as_ref();
        // Known now, it need not be uploaded first. The link below decides.
        if path.symlink_metadata().is_ok() {
            return Err(taken());
        }
        let (unfinished, mut file) = Unfinished::create(path)?;
        let mut length = 0;
        while let content @ [_, ..] = self.fill_buf()? {
            file.write_all(content)?;
            let written = content.len();
            length += written as u64;
            self.consume(written);
        }
        file.sync_all()?;
        unfinished.finish(path)?;
        Ok(length)
    }
}

fn taken() -> io::Error {
    let refusal = Refusal::new(Status::CONFLICT, "A file of this name is there already.");
    io::Error::new(io::ErrorKind::AlreadyExists, refusal)
}

/// The file an upload is written into. Its name goes when this goes.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// A new file in the folder where `path` is to be.
    fn create(path: &Path) -> io::Result<(Self, File)> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = path.with_file_name(format!(".upload-{}-{count}", process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                // A process of the same number was killed here.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => return Ok((Self { path }, file)),
            }
        }
    }

    fn finish(self, path: &Path) -> io::Result<()> {
        fs::hard_link(&self.path, path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(),
            _ => error,
        })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The last component of what was sent as the name of a file, if it is fit for a disk.
fn safe_file_name(sent: &str) -> Option<&str> {
    let name = sent.rsplit(['/', '\\']).next()?;
    let is_odd = |c: char| c.is_control() || "<>:\"|?*".contains(c);
    let fits = (1..=MAX_NAME).contains(&name.len())
        && !name.starts_with('.')
        && !name.ends_with(['.', ' '])
        && !name.contains(is_odd)
        && !is_device(name);
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::{Multipart, PartLimits};
    use super::*;

    #[test]
    fn only_a_last_component_that_every_disk_takes_is_a_safe_name() {
        let longest = "n".repeat(255);
        for (sent, safe) in [
            ("photo.jpg", Some("photo.jpg")),
            ("Ünï cödé (1).tar.gz", Some("Ünï cödé (1).tar.gz")),
            ("日本.png", Some("日本.png")),
            ("-rf", Some("-rf")),
            ("../../.ssh/config", Some("config")),
            ("/etc/passwd", Some("passwd")),
            ("C:\\Users\\Ada\\photo.jpg", Some("photo.jpg")),
            ("a/b\\c", Some("c")),
            (&longest, Some(&*longest)),
            ("", None),
            (".", None),
            ("..", None),
            ("a/..", None),
            ("a\\..\\", None),
            (".htaccess", None),
            ("photo.", None),
            ("photo ", None),
            ("C:photo.jpg", None),
            ("a.txt:stream", None),
            ("a\0.png", None),
            ("a\r\nb", None),
            ("a\u{85}b", None),
            ("what?", None),
            ("nul", None),
            ("NUL .txt", None),
            ("Com1.tar.gz", None),
            ("lpt³", None),
            ("CONIN$", None),
            ("COM10", Some("COM10")),
            ("console", Some("console")),
            ("nullable.rs", Some("nullable.rs")),
            (&format!("{longest}n"), None),
        ] {
            assert_eq!(safe_file_name(sent), safe, "{sent:?}");
        }
    }

    /// A folder of its own for each test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("longhand-kit-{name}-{}", process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Saves the one part of a body that ends with `end`.
    fn save(path: &Path, content: &str, end: &str, limits: &PartLimits) -> io::Result<u64> {
        let body = format!("--x\r\nContent-Disposition: form-data; name=a\r\n\r\n{content}{end}");
        let mut source = body.as_bytes();
        Multipart::new("x", &mut source, limits).next()?.unwrap().save_as(path)
    }

    #[test]
    fn a_saved_file_is_whole_and_alone() {
        let folder = Folder::new("whole");
        let content = "content\r\n".repeat(20_000);
        let path = folder.0.join("file");
        let saved = save(&path, &content, "\r\n--x--", &PartLimits::default());
        assert_eq!(saved.unwrap(), content.len() as u64);
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
        assert_eq!(folder.names(), ["file"]);
    }

    #[test]
    fn what_is_there_already_stays() {
        let folder = Folder::new("there");
        let path = folder.0.join("file");
        fs::write(&path, "first").unwrap();
        let error = save(&path, "second", "\r\n--x--", &PartLimits::default()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(Refusal::of(&error).unwrap().status(), Status::CONFLICT);
        // Also where it came between the first look and the last.
        let late = Unfinished::create(&path).unwrap().0.finish(&path).unwrap_err();
        assert_eq!(Refusal::of(&late), Refusal::of(&error));
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(folder.names(), ["file"]);
    }

    #[test]
    fn a_failed_upload_leaves_nothing() {
        let folder = Folder::new("failed");
        let path = folder.0.join("file");
        let small = PartLimits { file: 99_999, ..PartLimits::default() };
        let content = "x".repeat(100_000);
        for (end, limits, status) in
            [("\r\n--", &PartLimits::default(), 400), ("\r\n--x--", &small, 413)]
        {
            let error = save(&path, &content, end, limits).unwrap_err();
            assert_eq!(Refusal::of(&error).unwrap().status().code(), status);
            assert!(folder.names().is_empty(), "{:?}", folder.names());
        }
        let error = save(&path.join("none"), "x", "\r\n--x--", &small).unwrap_err();
        assert_eq!((error.kind(), Refusal::of(&error)), (io::ErrorKind::NotFound, None));
    }

    #[test]
    fn what_a_killed_process_left_is_neither_used_nor_in_the_way() {
        let folder = Folder::new("killed");
        let first = Unfinished::create(&folder.0.join("a")).unwrap().0;
        let name = first.path.file_name().unwrap().to_str().unwrap().to_owned();
        let number: u64 = name.rsplit('-').next().unwrap().parse().unwrap();
        // Other tests count too, so one of the next is met.
        let left: Vec<_> = (1..40)
            .map(|n| folder.0.join(format!(".upload-{}-{}", process::id(), number + n)))
            .collect();
        left.iter().for_each(|path| fs::write(path, "left").unwrap());
        save(&folder.0.join("b"), "x", "\r\n--x--", &PartLimits::default()).unwrap();
        assert!(left.iter().all(|path| fs::read_to_string(path).unwrap() == "left"));
    }
}
