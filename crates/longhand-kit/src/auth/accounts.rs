//! Passwords verified so that guessing is slow and being right is quick.
//!
//! A hash that is slow to guess is slow to verify. So a server that verified on each request, and
//! for everybody at once, would be brought down by one page with a few pictures, or by anybody who
//! guesses. [`Accounts`] does six things about that:
//!
//! - A right password is remembered for ten minutes, as its HMAC under a key that ends with the
//!   program. When the account gets a new password, the old one is remembered no longer.
//! - Two passwords are verified at once. Up to 32 wait, five seconds at most; others get 503, and
//!   count as wrong: else whoever keeps the places taken could guess what is remembered.
//! - Five wrong passwords cost nothing. After the sixth, a client waits before the next for the same
//!   account: 1 s, then 2 s, doubled each time, up to 15 minutes. One that comes earlier gets 429, at
//!   once and unverified, even if it is the right one: else guessing could go on. An hour without a
//!   guess, and the wrong ones are forgotten.
//! - One client gets 30 passwords verified at once, for any accounts, and then one every 2 s. Those
//!   beyond get 429 and count as wrong, as above.
//! - One client gets 100 passwords wrong at once, for any accounts, and then one every 2 s. Beyond,
//!   none is looked at, remembered or not.
//! - A user who does not exist costs the same work, that of [`rounds`](Accounts::rounds), and is refused
//!   by the same words. Where nothing is verified, that is refused in the same time too, as
//!   `cargo bench -p benches --bench timing` shows in the repository.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use longhand::{FieldValue, Request, Response};

use super::attempts::Attempts;
use super::basic::{basic, basic_challenge, please};
use super::gate::Gate;
use super::password::{DEFAULT_ROUNDS, PasswordHash};
use super::refused::{PATIENCE, Refused};
use super::unauthorized;
use crate::mac;
use crate::rate::RateLimit;

/// Passwords of one client that are verified at once, and how soon the next. Hundreds of people
/// behind one address need less, and one who tries names takes a quarter of a core.
const BURST: u32 = 30;
const EACH: Duration = Duration::from_secs(2);

/// Wrong passwords of one client at once, seen or not: more than `BURST`, so that one who used that up
/// does not at once stop his neighbours, whose passwords are remembered; and more than can wait at the
/// gate, because the right ones take a token until they are known to be right.
const GUESSES: u32 = 100;

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
///     let form = Form::read(request)?;
///     let text = |name| form.first(name).unwrap_or_default();
///     let client = request.peer().map(|peer| peer.ip());
///     accounts.check(request.now(), client, text("user"), text("password"))?;
///     // Here a new session begins, and its cookie goes along: no later request has the password.
///     Ok(Response::redirect("/"))
/// }
/// # let hash = PasswordHash::make("secret", 1_000)?;
/// # let accounts = Accounts::new(move |user| (user == "ada").then(|| hash.clone()))?;
/// # for (form, status) in [("user=ada&password=secret", "303"), ("user=ada&password=secreT", "403")] {
/// #     let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded";
/// #     let head = format!("{head}\r\nContent-Length: {}\r\n\r\n", form.len());
/// #     let mut client = Scripted::new().send(head).send(form).end();
/// #     serve_connection(&mut client, &Limits::default(), |request| sign_in(&accounts, request));
/// #     assert!(client.output_text().starts_with(&format!("HTTP/1.1 {status} ")));
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # How much can be guessed
///
/// One client guesses at most 18 passwords of one account in an hour, and 4 in each hour that it goes
/// on. For all accounts together it has 1,900 guesses in the first hour and 1,800 in each later one.
/// The second bound protects the first: 65,536 counts are kept, and a client that wants one of its own
/// forgotten before its hour is over has to make as many wrong guesses within it, which takes 35 clients.
///
/// No account is ever locked for everybody, or anybody could lock its owner out: the delay is for one
/// client (as [`rate`](crate::rate) tells them apart) and one account. So who guesses from many
/// addresses has all these guesses once for each, and what bounds them is that two passwords are
/// verified at once: with [`DEFAULT_ROUNDS`] about four a second, 14,000 an hour, from all addresses
/// together. That is slow enough for passwords that are on no list. Those behind one address share its
/// counts: one of them who guesses makes the others wait.
pub struct Accounts {
    find: Box<Find>,
    challenge: FieldValue,
    /// For the hash that is verified where no user is found.
    rounds: AtomicU32,
    gate: Gate,
    attempts: Attempts,
    /// One client's passwords for all accounts together.
    verified: RateLimit,
    /// One client's passwords that were wrong or not looked at.
    guesses: RateLimit,
}

type Find = dyn Fn(&str) -> Option<PasswordHash> + Send + Sync;

impl Accounts {
    /// Accounts whose password hashes are found by `find`, given the user name as it was sent.
    ///
    /// `find` should compare names exactly. One that takes `ADA` for `ada` shows which users exist: the
    /// spellings of a user who exists share one count of wrong passwords, and those of a user who does
    /// not have one each. Where case does not matter, bring the name into one form first, and give that
    /// to [`check`](Self::check).
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
            attempts: Attempts::new()?,
            verified: RateLimit::new(BURST, EACH),
            guesses: RateLimit::new(GUESSES, EACH),
        })
    }

    /// The same, whose hashes have so many rounds: [`DEFAULT_ROUNDS`] without this call. To refuse a
    /// user who does not exist takes as many. If the hashes have others, or not all the same, the time
    /// that a refusal takes shows which users exist.
    ///
    /// Once a hash with more rounds is found, its number is used until the program ends. One with fewer
    /// changes nothing.
    ///
    /// # Panics
    /// If `rounds` is not from 1,000 to 10,000,000.
    ///
    /// ```
    /// use longhand_kit::auth::Accounts;
    /// let accounts = Accounts::new(|_user| None)?.rounds(1_200_000); // as the hashes in the settings
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn rounds(self, rounds: u32) -> Self {
        Self { rounds: PasswordHash::of_nothing(rounds).rounds().into(), ..self }
    }

    /// The same with another realm than `restricted` in the challenge.
    ///
    /// # Panics
    /// If the realm has other characters than those of printable ASCII.
    ///
    /// ```
    /// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
    /// # use longhand_kit::auth::Accounts;
    /// let accounts = Accounts::new(|_user| None)?.realm("back office");
    /// # let mut client = Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").end();
    /// # serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
    /// #     accounts.basic(request, None).map(Response::text)
    /// # });
    /// assert!(client.output_text().contains("\r\nWWW-Authenticate: Basic realm=\"back office\""));
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
        let (user, password) = (&credentials.user, &credentials.password);
        match self.judge(|| request.now(), client, user, password) {
            Ok(()) => Ok(credentials.user),
            Err(wrong @ Refused::Wrong) => {
                Err(unauthorized(self.challenge.clone(), format!("{wrong}\n")))
            }
            Err(refused) => Err(refused.into()),
        }
    }

    /// Whether this is the password of this user. `now` is [`Request::now`]; `client` as for
    /// [`basic`](Self::basic). A delay after a wrong one begins at `now`, so the time that verifying
    /// takes is a part of it.
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
        self.judge(|| now, client, user, password)
    }

    /// The hash of a new password, of as many [rounds](Self::rounds). It is made behind the gate that verifying
    /// has too: those who register together keep nobody from signing in.
    ///
    /// # Errors
    /// The answer: 503 where too many passwords are at work, as [`Refused::Busy`]; 500 if the system has no
    /// [random bytes](crate::random) for the salt.
    pub fn hash(&self, password: &str) -> Result<PasswordHash, Response> {
        let _pass = self.gate.enter(PATIENCE).ok_or(Refused::Busy)?;
        let rounds = self.rounds.load(Ordering::Relaxed);
        PasswordHash::make(password, rounds).map_err(Response::failed)
    }

    /// `clock` and not a time: between the first look and the last there may be five seconds of waiting.
    fn judge(
        &self,
        clock: impl Fn() -> Instant,
        client: Option<IpAddr>,
        user: &str,
        password: &str,
    ) -> Result<(), Refused> {
        let client = client.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        // Taken before anything is answered, so that many requests at once get no more than there are;
        // given back where it was no guess, or nothing was learnt by it.
        self.guesses.admit(clock(), client).map_err(Refused::TooMany)?;
        let found = (self.find)(user);
        let hash = found.clone().unwrap_or_else(|| self.nobodys());
        self.rounds.fetch_max(hash.rounds(), Ordering::Relaxed);
        // The hash stands for its account: a new password is another account, and however many ways
        // to write its user's name there are, it is one. Both are digested for everybody: what is refused
        // unverified is refused at once, and its time would show which users exist.
        let (by_hash, by_name) = (hash.digest(), mac::sha256(user.as_bytes()));
        let account = if found.is_some() { by_hash } else { by_name };
        let attempt = self.attempts.of(client, &account, password);
        let recall = || {
            let recalled = self.attempts.recall(clock(), &attempt).map_err(Refused::TooMany);
            if recalled != Ok(false) {
                self.guesses.give_back(clock(), client);
            }
            recalled
        };
        if recall()? {
            return Ok(());
        }
        // Whoever is refused from here on has learnt that the password is not a remembered one.
        let unseen = |refused| {
            self.attempts.note(clock(), &attempt, false);
            refused
        };
        self.verified.admit(clock(), client).map_err(|it| unseen(Refused::TooMany(it)))?;
        let pass = self.gate.enter(PATIENCE).ok_or_else(|| unseen(Refused::Busy))?;
        // While this one waited, the same password may have been verified for another request.
        if recall()? {
            return Ok(());
        }
        // `&` and not `&&`: the work is done for nobody's hash too.
        let is_right = hash.verify(password) & found.is_some();
        self.attempts.note(clock(), &attempt, is_right);
        drop(pass);
        if !is_right {
            return Err(Refused::Wrong);
        }
        self.guesses.give_back(clock(), client);
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::ask;
    use crate::auth::attempts::{FORGOTTEN, REMEMBERED, WRONG, delay_after};
    use crate::base64;
    use crate::rate::TooMany;
    use std::sync::{Arc, Mutex};

    /// Ada's password is `secret`, whatever the case of her name.
    fn accounts() -> Accounts {
        let hash = PasswordHash::make("secret", 1_000).unwrap();
        let accounts =
            Accounts::new(move |user| user.eq_ignore_ascii_case("ada").then(|| hash.clone()));
        accounts.unwrap().rounds(1_000)
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
    fn a_flood_of_names_makes_no_count_forgotten() {
        let accounts = accounts();
        let mut now = Instant::now();
        for wrong in 1..=12 {
            assert_eq!(accounts.check(now, ip(1), "ada", "guess"), Err(Refused::Wrong), "{wrong}");
            now += delay_after(wrong);
        }
        // Newer ones outlast it from here on.
        now += Duration::from_secs(1);
        for n in 0..WRONG + 100 {
            let refused = accounts.check(now, ip(1), &format!("{n}"), "guess");
            assert!(refused.is_err(), "{n}");
        }
        let soon = now + Duration::from_secs(10);
        assert_eq!(accounts.check(soon, ip(1), "ada", "guess"), Err(Refused::Wrong));
        assert_eq!(wait(accounts.check(soon, ip(1), "ada", "guess")), Some(128));
    }

    #[test]
    fn guesses_for_all_accounts_together_are_bounded_whether_they_were_looked_at_or_not() {
        let accounts = accounts();
        let now = Instant::now();
        assert_eq!(accounts.check(now, ip(1), "ada", "secret"), Ok(()));
        // What is remembered is no guess, and neither is what the account's own delay refuses.
        (0..6).for_each(|_| assert!(accounts.check(now, ip(1), "bob", "guess").is_err()));
        for _ in 0..200 {
            assert_eq!(accounts.check(now, ip(1), "ada", "secret"), Ok(()));
            assert_eq!(wait(accounts.check(now, ip(1), "bob", "guess")), Some(1));
        }
        for n in 6..GUESSES {
            assert_eq!(accounts.check(now, ip(1), "ada", "secret"), Ok(()), "{n}");
            assert!(accounts.check(now, ip(1), &format!("{n}"), "guess").is_err());
        }
        assert_eq!(wait(accounts.check(now, ip(1), "ada", "secret")), Some(2), "not looked at");
        let counted = accounts.attempts.counted();
        assert_eq!(wait(accounts.check(now, ip(1), "new", "guess")), Some(2));
        assert_eq!(accounts.attempts.counted(), counted, "and not noted");
        assert_eq!(
            accounts.check(now, ip(2), "ada", "secret"),
            Ok(()),
            "other clients have their own"
        );
        assert_eq!(accounts.check(now + EACH, ip(1), "ada", "secret"), Ok(()));
    }

    #[test]
    fn eighteen_guesses_an_hour_and_then_four() {
        let accounts = accounts();
        let start = Instant::now();
        let mut now = start;
        let mut guesses = [0; 4];
        while now < start + 4 * FORGOTTEN {
            let hour = &mut guesses[usize::try_from((now - start).as_secs() / 3_600).unwrap()];
            match accounts.check(now, ip(1), "nobody", "guess") {
                Err(Refused::TooMany(TooMany { wait })) => now += wait,
                _ => *hour += 1,
            }
        }
        assert_eq!(guesses, [18, 4, 4, 4]);
    }

    #[test]
    fn nobody_takes_the_rounds_that_were_said_and_no_found_hash_takes_any_away() {
        let hashes = [("ada", 1_000), ("bob", 3_000)]
            .map(|(user, rounds)| (user, PasswordHash::make("secret", rounds).unwrap()));
        let find = move |user: &str| {
            hashes.iter().find(|known| known.0 == user).map(|known| known.1.clone())
        };
        let accounts = Accounts::new(find).unwrap();
        assert_eq!(accounts.nobodys().rounds(), DEFAULT_ROUNDS);
        let accounts = accounts.rounds(2_000);
        for (user, rounds) in [("", 2_000), ("ada", 2_000), ("bob", 3_000), ("ada", 3_000)] {
            let _ = accounts.check(Instant::now(), ip(1), user, "secret");
            assert_eq!(accounts.nobodys().rounds(), rounds, "after {user:?}");
        }
        for rounds in [0, 999, 10_000_001] {
            let accounts = self::accounts();
            let said = std::panic::AssertUnwindSafe(|| accounts.rounds(rounds));
            assert!(std::panic::catch_unwind(said).is_err(), "{rounds}");
        }
    }

    #[test]
    fn a_delay_begins_once_the_password_was_verified() {
        let clock = Arc::new(Mutex::new(Instant::now()));
        let slow = Arc::clone(&clock);
        // What takes its time here is to find the hash, and not to verify it.
        let accounts = Accounts::new(move |_| {
            *slow.lock().unwrap() += Duration::from_secs(10);
            None
        });
        let accounts = accounts.unwrap().rounds(1_000);
        let now = || *clock.lock().unwrap();
        for _ in 0..6 {
            assert_eq!(accounts.judge(now, ip(1), "ada", "guess"), Err(Refused::Wrong));
        }
        assert_eq!(wait(accounts.check(now(), ip(1), "ada", "guess")), Some(1));
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

    #[test]
    fn a_new_password_is_hashed_behind_the_same_gate() {
        let accounts = accounts();
        let hash = accounts.hash("new").unwrap();
        assert!(hash.verify("new") && hash.rounds() == 1_000);
        accounts.gate.shut();
        let refused = accounts.hash("another").unwrap_err();
        assert_eq!(refused.status_code(), longhand::Status::SERVICE_UNAVAILABLE);
        assert!(refused.field_value("Retry-After").is_some());
    }
}
