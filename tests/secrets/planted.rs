//! Planted secrets, and the spellings in which one would still be told.

use longhand_kit::base64;

/// Where base64 characters stand for the secret alone, whatever stands before and behind it.
fn base64_of(secret: &[u8], encode: fn(Vec<u8>) -> String) -> impl Iterator<Item = String> {
    (0..3).map(move |before| {
        let text = encode([&vec![0; before][..], secret].concat());
        text[(before * 8).div_ceil(6)..(before + secret.len()) * 8 / 6].to_owned()
    })
}

/// The spellings of a secret: as text, in base64 at each of its three places, in digits as a list of bytes
/// has them, and percent-encoded.
fn spellings(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let joined = |each: &dyn Fn(u8) -> String, between: &str| {
        bytes.iter().map(|byte| each(*byte)).collect::<Vec<_>>().join(between)
    };
    let mut found = vec![
        secret.to_owned(),
        secret.to_ascii_lowercase(),
        joined(&|byte| byte.to_string(), ", "),
        joined(&|byte| format!("{byte:02x}"), ""),
        joined(&|byte| format!("{byte:02x}"), " "),
        joined(&|byte| format!("%{byte:02x}"), ""),
        joined(&|byte| format!("%{byte:02X}"), ""),
    ];
    found.extend(base64_of(bytes, base64::encode));
    found.extend(base64_of(bytes, base64::encode_url));
    found
}

/// The spelling by which a text tells a secret.
fn told(text: &str, secret: &str) -> Option<String> {
    // Lists of bytes are written a line each by `{:#?}`.
    let flat = text.replace(",\n", ", ").replace("  ", "");
    let is_there = |spelling: &String| text.contains(spelling) || flat.contains(spelling);
    spellings(secret).into_iter().find(is_there)
}

/// Fails if a text tells one of the secrets.
#[track_caller]
pub(crate) fn assert_untold(place: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(secret.len() >= 8, "too short to be looked for: {secret}");
        if let Some(spelling) = told(text, secret) {
            panic!("{place} tells {secret} as {spelling}:\n{text}");
        }
    }
}

#[test]
fn the_search_finds_a_secret_in_every_spelling() {
    let secret = "Xq7vP2mKzw9TbJ4h";
    for text in [
        format!("password={secret}&"),
        secret.to_lowercase(),
        format!("{:?}", secret.as_bytes()),
        format!("{:#?}", secret.as_bytes()),
        base64::encode(format!("me:{secret}!")),
        base64::encode(format!("you:{secret}!!")),
        base64::encode_url(format!("them:{secret}")),
        "58 71 37 76 50 32 6d 4b 7a 77 39 54 62 4a 34 68".to_owned(),
        "%58%71%37%76%50%32%6D%4B%7A%77%39%54%62%4A%34%68".to_owned(),
    ] {
        assert!(told(&text, secret).is_some(), "not found in {text}");
    }
    assert_eq!(told("password=(16 bytes)", secret), None);
}
