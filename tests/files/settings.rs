//! The arguments and settings of the program: what a bad one says, and what a good one does.

use std::fs;

use harness::program::{Folder, Program, command, run};

use crate::{Site, get};

fn refused(settings: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut command = command("files", settings);
    command.args(arguments);
    let (code, output, errors) = run(command);
    assert_eq!((code, output.as_str()), (2, ""), "{settings:?} {arguments:?}: {errors}");
    assert_eq!(errors.matches('\n').count(), 1, "{errors}");
    errors
}

#[test]
fn a_bad_setting_or_argument_is_named_and_ends_the_program_with_2() {
    for name in ["LISTING", "PRECOMPRESSED", "HIDDEN"] {
        for value in ["yes", "2", "", "true", "-1"] {
            let errors = refused(&[(name, value), ("PORT", "0")], &[]);
            assert_eq!(errors, format!("{name}={value}: expected 1 or 0\n"));
        }
    }
    assert!(refused(&[("PORT", "x")], &[]).starts_with("PORT=x: expected a port"));
    assert!(refused(&[], &["a", "b"]).starts_with("2 arguments: expected one folder"));
    assert!(refused(&[], &["--list"]).starts_with("--list: expected a folder, or --help"));
    let folder = Folder::new();
    let (none, file) = (folder.file("none"), folder.file("file"));
    fs::write(&file, "").unwrap();
    for path in [none, file] {
        assert!(refused(&[], &[&path]).starts_with(&format!("folder {path}: ")), "{path}");
    }
}

#[test]
fn help_lists_the_settings() {
    for flag in ["--help", "-h"] {
        let mut command = command("files", &[]);
        command.arg(flag);
        let (code, output, errors) = run(command);
        assert_eq!((code, errors.as_str()), (0, ""));
        for setting in
            ["PORT", "HOST", "LISTING", "PRECOMPRESSED", "HIDDEN", "DRAIN_MS", "LAME_DUCK_MS"]
        {
            assert!(output.contains(setting), "{setting}");
        }
    }
}

#[test]
fn without_an_argument_the_current_folder_is_served() {
    let site = Site::new();
    site.write("here.txt", "here");
    let mut command = command("files", &[("PORT", "0"), ("LISTING", "0")]);
    command.current_dir(&site.root);
    let program = Program::start(command);
    assert_eq!(get(&program, "/here.txt").text(), "here");
    assert_eq!(get(&program, "/").status, 404);
}

#[cfg(unix)]
#[test]
fn it_says_what_it_serves_and_ends_in_order() {
    let site = Site::new();
    let program = site.serve(&[]);
    program.signal("TERM");
    let (status, errors) = program.end();
    assert!(status.success());
    assert_eq!(errors, [format!("serving {}", site.root.display())]);
}
