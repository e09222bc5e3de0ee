//! The README's own lines, run: the program it shows is built as a package that depends on longhand
//! alone, started, and asked for a page.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("README.md at the root")
}

/// Ends the program with the test, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_program_in_the_readme_builds_and_answers() {
    let readme = readme();
    let (_, rest) = readme.split_once("```rust\n").expect("README.md has a block of Rust");
    let (program, _) = rest.split_once("```").unwrap();
    assert!(
        program.lines().filter(|line| !line.is_empty()).count() <= 10,
        "ten lines are promised"
    );
    // The one change: a port that is free, so that tests can run side by side.
    assert!(program.contains("\"127.0.0.1:8000\""));
    let program = program.replace("127.0.0.1:8000", "127.0.0.1:0");

    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    fs::create_dir_all(package.join("src")).unwrap();
    fs::write(package.join("src/main.rs"), program).unwrap();
    let longhand = root().join("crates/longhand");
    let manifest = format!(
        "[package]\nname = \"readme\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nlonghand = {{ path = {:?} }}\n",
        longhand.to_str().unwrap()
    );
    fs::write(package.join("Cargo.toml"), manifest).unwrap();

    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--offline", "--target-dir"])
        .arg(package.join("target"))
        .current_dir(&package)
        .status()
        .unwrap();
    assert!(built.success(), "the README's program does not build");
    let program = package.join("target/debug").join(format!("readme{}", env::consts::EXE_SUFFIX));
    let mut running = Running(Command::new(program).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ").expect(&line).to_owned();
    let mut answer = ureq::get(format!("{address}/some/where")).call().unwrap();
    assert_eq!(answer.body_mut().read_to_string().unwrap(), "You asked for /some/where\n");
}

#[test]
fn the_readme_names_the_two_commands() {
    let readme = readme();
    for command in ["cargo run --example bookmark", "cargo test"] {
        assert!(readme.lines().any(|line| line == command), "README.md has no line {command:?}");
    }
}

#[test]
fn every_file_the_readme_names_is_there() {
    let readme = readme();
    let paths = readme.split(|c: char| "`()[] \n".contains(c)).filter(|word| {
        ["crates/", "examples/", "tests/"].iter().any(|folder| word.starts_with(folder))
    });
    let mut named = 0;
    for path in paths {
        let path = path.trim_end_matches(['.', ',', ';']);
        assert!(root().join(path).exists(), "README.md names {path}, which is not there");
        named += 1;
    }
    assert!(named >= 3);
}
