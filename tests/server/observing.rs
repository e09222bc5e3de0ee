//! What an observer is told of responses: the errors behind them, the facts of their requests.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use longhand::{Event, Request, Response, Server};

struct User(&'static str);

#[test]
fn the_observer_is_told_of_errors_and_facts() {
    static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let server = Server::bind("127.0.0.1:0").expect("a free port").observe(|event| {
        if let Event::Answered(answered) = event {
            let user = answered.get::<User>().map_or("nobody", |user| user.0);
            let error = answered.error.map_or_else(String::new, ToString::to_string);
            let line = format!("{} {user} {error}", answered.status.code());
            TOLD.lock().expect("nobody panics with it").push(line);
        }
    });
    let address = server.local_addr().expect("an address");
    let handle = server.handle();
    let thread = std::thread::spawn(move || {
        server.run(|request: &mut Request<'_>| -> io::Result<Response> {
            request.set(User("ada"));
            match request.path() {
                "/fails" => Err(io::Error::other("disk on fire")),
                "/panics" => panic!("no {}", request.path()),
                "/streams" => Ok(Response::stream("text/plain", |_| panic!("no stream"))),
                "/because" => Ok(Response::text("later").because("too early")),
                _ => Ok(Response::text("fine")),
            }
        })
    });
    for path in ["/", "/fails", "/because", "/panics", "/streams"] {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        agent.get(format!("http://{address}{path}")).call().expect("an answer");
    }
    handle.drain(Duration::ZERO, Duration::from_secs(10));
    thread.join().expect("no panic").expect("it ran");
    assert_eq!(
        *TOLD.lock().expect("nobody panics with it"),
        [
            "200 ada ",
            "500 ada disk on fire",
            "200 ada too early",
            "500 ada the handler panicked: no /panics",
            "200 ada the response's stream panicked: no stream"
        ]
    );
}
