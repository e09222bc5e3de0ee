//! Passwords verified so that guessing is slow and being right is quick.
//!
//! A hash that is slow to guess is slow to verify. So a server that verified on each request, and
//! for everybody at once, would be brought down by one page with a few pictures, or by anybody who
//! guesses. [`Accounts`] does five things about that:
//!
//! - A right password is remembered for ten minutes, as its HMAC under a key that ends with the
//!   program. A new password in the account's place makes it forgotten.
//! - Two passwords are verified at once. Up to 32 wait, five seconds at most; others get 503, and
//!   count as wrong: else whoever keeps the places taken could guess what is remembered.
//! - After five wrong passwords, a client waits before the next for the same account: 1 s, then
//!   2 s, doubled each time, up to 15 minutes. Earlier ones get 429, at once and unverified, the
//!   right one too: else whoever guesses would go on. After an hour without a guess it is forgotten.
//! - One client gets 30 passwords verified at once, for any accounts, and then one every 2 s.
//! - A user who is not there costs the same work, and is refused by the same words.
//!
//! An account is never locked as such, which would be a means to lock somebody out: the delay is for
//! one client (as [`rate`](crate::rate) tells them apart) and one account. So one who guesses from
//! many addresses is held up only by the two at once, a few guesses a second: enough for passwords
//! that are not on a list. Those behind one address that share an account share the delay too.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use longhand::{FieldValue, IntoResponse, Reply, Request, Response, Status};

use super::basic::{basic, basic_challenge, please};
use super::gate::Gate;
use super::memory::Memory;
use super::password::{DEFAULT_ROUNDS, PasswordHash};
use super::unauthorized;
use crate::rate::{RateLimit, TooMany};
use crate::refusal::refusal;

/// How long a thread waits for its turn to verify.
const PATIENCE: Duration = Duration::from_secs(5);

/// Passwords of one client that are verified at once, and how soon the next. Hundreds of people
/// behind one address need less, and one who tries names takes a quarter of a core.
const BURST: u32 = 30;
const EACH: Duration = Duration::from_secs(2);

/// The accounts of a program, and the guard before them.
///
/// For a form, [`check`](Self::check) is what its handler asks before it hands out a session:
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// # use longhand_kit::auth::{Accounts, PasswordHash};
/// use longhand_kit::form::Form;
///
/// fn sign_in(accounts: &Accounts, request: &mut Request<'_>) -> Result<Response, Response> {
///     let form = Form::parse(request.body().limit(4096).read_all()?)?;
///     let text = |name| form.first(name).unwrap_or_default();
///     let client = request.peer().map(|peer| peer.ip());
///     accounts.check(request.now(), client, text("user"), text("password"))?;
///     // Here a new session begins, and its cookie goes along: no later request has the password.
///     Ok(Response::redirect("/"))
/// }
/// # let hash = PasswordHash::make("secret", 1_000)?;
/// # let accounts = Accounts::new(move |user| (user == "ada").then(|| hash.clone()))?;
/// # for (form, status) in [("user=ada&password=secret", "303"), ("user=ada&password=secreT", "403")] {
/// #     let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", form.len());
/// #     let mut client = Scripted::new().send(head).send(form).end();
/// #     serve_connection(&mut client, &Limits::default(), |request| sign_in(&accounts, request));
/// #     assert!(client.output_text().starts_with(&format!("HTTP/1.1 {status} ")));
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Accounts {
    find: Box<Find>,
    challenge: FieldValue,
    /// The rounds of the hash that was found last, for users that are not found.
    rounds: AtomicU32,
    gate: Gate,
    memory: Memory,
    /// One client's passwords for all accounts together.
    verified: RateLimit,
}

type Find = dyn Fn(&str) -> Option<PasswordHash> + Send + Sync;
impl Accounts {
    /// Accounts whose password hashes are found by `find`, given the user name as it was sent.
    ///
    /// All hashes should have the same rounds: a user who is not there takes as long as the one
    /// before, and that is how those who are could be told from those who are not.
    ///
    /// # Errors
    /// If the system has no [random bytes](crate::random) for a key.
    pub fn new(
        find: impl Fn(&str) -> Option<PasswordHash> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Ok(Self {
            find: Box::new(find),
            challenge: basic_challenge("restricted"),
            rounds: AtomicU32::new(DEFAULT_ROUNDS),
            gate: Gate::default(),
            memory: Memory::new()?,
            verified: RateLimit::new(BURST, EACH),
        })
    }

    /// The same with another realm than `restricted` in the challenge.
    ///
    /// # Panics
    /// As [`challenge`](super::challenge).
    #[must_use]
    #[track_caller]
    pub fn realm(self, realm: &str) -> Self {
        Self { challenge: basic_challenge(realm), ..self }
    }

    /// The user whose Basic credentials the request has, verified. `client` is the address of the
    /// one who asks, as [`forwarded`](crate::forwarded) finds it or the peer has it; all those
    /// without one count as one.
    ///
    /// # Errors
    /// The answer: 401 with a challenge, also to credentials that cannot be read, because browsers
    /// send the same ones again until they are asked for others; or as [`Refused`].
    pub fn basic(&self, request: &Request<'_>, client: Option<IpAddr>) -> Result<String, Response> {
        let credentials = match basic(request) {
            Ok(Some(credentials)) => credentials,
            Ok(None) => return Err(please(self.challenge.clone())),
            Err(bad) => return Err(unauthorized(self.challenge.clone(), format!("{bad}\n"))),
        };
        match self.check(request.now(), client, &credentials.user, &credentials.password) {
            Ok(()) => Ok(credentials.user),
            Err(wrong @ Refused::Wrong) => {
                Err(unauthorized(self.challenge.clone(), format!("{wrong}\n")))
            }
            Err(refused) => Err(refused.into()),
        }
    }

    /// Whether this is the password of this user. `now` is [`Request::now`]; `client` as for
    /// [`basic`](Self::basic).
    ///
    /// # Errors
    /// If it is not, or was not looked at: see [`Refused`].
    pub fn check(
        &self,
        now: Instant,
        client: Option<IpAddr>,
        user: &str,
        password: &str,
    ) -> Result<(), Refused> {
        let found = (self.find)(user);
        let hash = found.clone().unwrap_or_else(|| self.nobodys());
        self.rounds.store(hash.rounds(), Ordering::Relaxed);
        // The hash stands for its account: a new password is another account, and however many ways
        // to write its user's name there are, it is one.
        let account = found.as_ref().map_or_else(|| user.to_owned(), PasswordHash::to_string);
        let client = client.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        let attempt = self.memory.attempt(client, &account, password);
        let recall = || self.memory.recall(now, &attempt).map_err(Refused::TooMany);
        if recall()? {
            return Ok(());
        }
        // Whoever is refused from here on has learnt that the password is not a remembered one.
        let unseen = |refused| {
            self.memory.note(now, &attempt, false);
            refused
        };
        self.verified.admit(now, client).map_err(|it| unseen(Refused::TooMany(it)))?;
        let pass = self.gate.enter(PATIENCE).ok_or_else(|| unseen(Refused::Busy))?;
        // Those who were inside may have been the same client with the same password.
        if recall()? {
            return Ok(());
        }
        // `&` and not `&&`: the work is done for nobody's hash too.
        let is_right = hash.verify(password) & found.is_some();
        self.memory.note(now, &attempt, is_right);
        drop(pass);
        if is_right { Ok(()) } else { Err(Refused::Wrong) }
    }

    fn nobodys(&self) -> PasswordHash {
        PasswordHash::of_nothing(self.rounds.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("challenge", &self.challenge).finish_non_exhaustive()
    }
}

/// Why somebody was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// There is no such user, or it has another password. Answered by 403, where it is not Basic
    /// that asked: a 401 would open the browser's own dialogue.
    Wrong,
    /// There were too many passwords from this client, and this one was not looked at. Answered by
    /// 429.
    TooMany(TooMany),
    /// Too many passwords are being verified. Answered by 503.
    Busy,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong => f.write_str("wrong user name or password"),
            Self::TooMany(too_many) => write!(f, "not looked at: {too_many}"),
            Self::Busy => f.write_str("too many are signing in: try again in a few seconds"),
        }
    }
}

impl std::error::Error for Refused {}

/// 403, 429 or 503, the latter two with Retry-After.
impl<'s> IntoResponse<'s> for Refused {
    fn into_response(self) -> Reply<'s> {
        let answer = Reply::text(format!("{self}\n")).field("Cache-Control", "no-store");
        match self {
            Self::Wrong => answer.status(Status::FORBIDDEN),
            Self::TooMany(too_many) => too_many.into_response(),
            Self::Busy => {
                answer.status(Status::SERVICE_UNAVAILABLE).field("Retry-After", PATIENCE.as_secs())
            }
        }
    }
}

refusal!(Refused);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::ask;
    use crate::auth::memory::{FORGOTTEN, REMEMBERED, delay_after};
    use crate::base64;
    use std::sync::{Arc, Mutex};

    /// Ada's password is `secret`, whatever the case of her name.
    fn accounts() -> Accounts {
        let hash = PasswordHash::make("secret", 1_000).unwrap();
        let accounts =
            Accounts::new(move |user| user.eq_ignore_ascii_case("ada").then(|| hash.clone()));
        let accounts = accounts.unwrap();
        accounts.rounds.store(1_000, Ordering::Relaxed);
        accounts
    }

    fn ip(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    fn wait(refused: Result<(), Refused>) -> Option<u64> {
        match refused {
            Err(Refused::TooMany(TooMany { wait })) => Some(wait.as_secs()),
            _ => None,
        }
    }

    #[test]
    fn fifty_guesses_are_refused_and_the_right_password_gets_in_after_the_delay() {
        let accounts = accounts();
        let now = Instant::now();
        let answers: Vec<_> =
            (0..50).map(|n| accounts.check(now, ip(1), "ada", &format!("guess {n}"))).collect();
        assert_eq!(answers[..6], [Err(Refused::Wrong); 6]);
        assert!(answers[6..].iter().all(|&answer| wait(answer) == Some(1)), "{answers:?}");
        // Not even the right one, or guesses would go on; but not for longer than was said.
        assert_eq!(wait(accounts.check(now, ip(1), "ada", "secret")), Some(1));
        let later = now + Duration::from_secs(1);
        assert_eq!(accounts.check(later, ip(1), "ada", "secret"), Ok(()));
        for _ in 0..6 {
            let answer = accounts.check(later, ip(1), "ada", "wrong");
            assert_eq!(answer, Err(Refused::Wrong), "those before it count no more");
        }
    }

    #[test]
    fn no_number_of_guesses_locks_an_account() {
        let accounts = accounts();
        let mut now = Instant::now();
        for wrong in 1..30 {
            assert_eq!(accounts.check(now, ip(1), "ada", "guess"), Err(Refused::Wrong), "{wrong}");
            now += delay_after(wrong);
        }
        assert_eq!(accounts.check(now, ip(1), "ada", "secret"), Ok(()));
    }

    #[test]
    fn an_hour_without_a_guess_forgets_them() {
        let accounts = accounts();
        let start = Instant::now();
        let guess = |now| accounts.check(now, ip(1), "ada", "guess");
        (0..5).for_each(|_| assert_eq!(guess(start), Err(Refused::Wrong)));
        let later = start + FORGOTTEN;
        (0..6).for_each(|_| assert_eq!(guess(later), Err(Refused::Wrong)));
        assert_eq!(wait(guess(later)), Some(1));
    }

    #[test]
    fn a_delay_is_for_one_client_and_one_account() {
        let accounts = accounts();
        let now = Instant::now();
        // Another way to write the name is no other account.
        for user in ["ada", "Ada", "ADA", "aDa", "adA", "AdA"] {
            assert_eq!(accounts.check(now, ip(1), user, "guess"), Err(Refused::Wrong));
        }
        assert_eq!(wait(accounts.check(now, ip(1), "ADa", "secret")), Some(1));
        assert_eq!(accounts.check(now, ip(1), "bob", "guess"), Err(Refused::Wrong));
        assert_eq!(accounts.check(now, None, "ada", "guess"), Err(Refused::Wrong));
        assert_eq!(accounts.check(now, ip(2), "ada", "secret"), Ok(()));
        // Remembered for the other client, it still is no way around the delay.
        assert_eq!(wait(accounts.check(now, ip(1), "ada", "secret")), Some(1));
    }

    #[test]
    fn a_user_who_is_not_there_is_refused_in_the_same_way() {
        let accounts = accounts();
        let now = Instant::now();
        for user in ["ada", "nobody", ""] {
            (0..6).for_each(|_| {
                assert_eq!(accounts.check(now, ip(1), user, ""), Err(Refused::Wrong), "{user}");
            });
            assert_eq!(wait(accounts.check(now, ip(1), user, "")), Some(1), "{user}");
        }
        assert_eq!(accounts.nobodys().rounds(), 1_000, "as much work as for those who are");
    }

    #[test]
    fn a_right_password_is_not_verified_again_for_ten_minutes() {
        let accounts = accounts();
        let now = Instant::now();
        assert_eq!(accounts.check(now, ip(1), "ada", "secret"), Ok(()));
        // Nothing more can be verified; what is remembered need not be.
        accounts.gate.shut();
        let last = now + REMEMBERED - Duration::from_nanos(1);
        assert_eq!(accounts.check(last, ip(2), "ada", "secret"), Ok(()));
        for (at, user, password) in [
            (now, "ada", "secre"),
            (now, "ada", "wrong"),
            (now, "bob", "secret"),
            (now + REMEMBERED, "ada", "secret"),
        ] {
            assert_eq!(accounts.check(at, ip(1), user, password), Err(Refused::Busy));
        }
    }

    #[test]
    fn guesses_that_nobody_looked_at_count_too() {
        let accounts = accounts();
        let now = Instant::now();
        assert_eq!(accounts.check(now, ip(2), "ada", "secret"), Ok(()));
        accounts.gate.shut();
        for _ in 0..6 {
            assert_eq!(accounts.check(now, ip(1), "ada", "guess"), Err(Refused::Busy));
        }
        assert_eq!(wait(accounts.check(now, ip(1), "ada", "secret")), Some(1));
    }

    #[test]
    fn one_client_cannot_have_passwords_verified_for_names_without_end() {
        let accounts = accounts();
        let now = Instant::now();
        assert_eq!(accounts.check(now, ip(1), "ada", "secret"), Ok(()));
        for n in 1..30 {
            assert_eq!(accounts.check(now, ip(1), &format!("{n}"), "x"), Err(Refused::Wrong));
        }
        assert_eq!(wait(accounts.check(now, ip(1), "another", "x")), Some(2));
        assert_eq!(accounts.check(now, ip(1), "ada", "secret"), Ok(()), "it is remembered");
        assert_eq!(accounts.check(now, ip(2), "another", "x"), Err(Refused::Wrong));
    }

    #[test]
    fn a_new_password_makes_the_old_one_wrong_at_once() {
        let hashes = Arc::new(Mutex::new(PasswordHash::make("old", 1_000).unwrap()));
        let found = Arc::clone(&hashes);
        let accounts = Accounts::new(move |_| Some(found.lock().unwrap().clone())).unwrap();
        let now = Instant::now();
        assert_eq!(accounts.check(now, ip(1), "ada", "old"), Ok(()));
        *hashes.lock().unwrap() = PasswordHash::make("new", 1_000).unwrap();
        assert_eq!(accounts.check(now, ip(1), "ada", "old"), Err(Refused::Wrong));
        assert_eq!(accounts.check(now, ip(1), "ada", "new"), Ok(()));
    }

    #[test]
    fn a_page_with_many_pictures_is_let_in_whole() {
        let accounts = accounts();
        let now = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| assert_eq!(accounts.check(now, ip(1), "ada", "secret"), Ok(())));
            }
        });
    }

    #[test]
    fn basic_credentials_get_their_answer() {
        let accounts = accounts().realm("the office");
        let answer = |line: &str| {
            ask(line.as_bytes(), |request| match accounts.basic(request, ip(1)) {
                Ok(user) => Response::text(format!("in: {user}")),
                Err(refusal) => {
                    let field = |name| {
                        let value = refusal.field_value(name).map(FieldValue::as_bytes);
                        String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
                    };
                    let (challenge, cache) = (field("WWW-Authenticate"), field("Cache-Control"));
                    Response::text(format!("{} {challenge} {cache}", refusal.status_code().code()))
                }
            })
        };
        let sent = |text: &str| format!("Authorization: Basic {}\r\n", base64::encode(text));
        let asked = r#"401 Basic realm="the office", charset="UTF-8" no-store"#;
        assert_eq!(answer(""), asked);
        assert_eq!(answer("Authorization: Bearer abc\r\n"), asked);
        assert_eq!(answer("Authorization: Basic !\r\n"), asked);
        assert_eq!(answer(&sent("ada:secret")), "in: ada");
        for _ in 0..6 {
            assert_eq!(answer(&sent("ada:Secret")), asked);
        }
        assert_eq!(answer(&sent("ada:Secret")), "429  no-store");
        accounts.gate.shut();
        assert_eq!(answer(&sent("bob:secret")), "503  no-store");
    }
}
