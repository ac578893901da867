//! Measures polls per second over real sockets: our loop beside a loop by hand.
//!
//! Both use the same [`HyperTransport`] and the same server.

use std::{
    error::Error,
    future::Future,
    hint::black_box,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use lro_runtime::{
    Operations, PollSettings, Timer,
    timer::AsyncIoTimer,
    transport::{BoxFuture, HyperTransport},
};

use crate::{
    report::{Subject, median},
    step::{ExportedImage, Prepared, STEPS, hand},
    virtual_time::Clock,
};

const ROUNDS: usize = 31;
const OPERATIONS_PER_ROUND: usize = 20;

/// Prints polls per second of both loops, and the ratio.
pub fn run() -> Result<(), Box<dyn Error>> {
    let base = format!("http://{}", serve()?);
    let transport = HyperTransport::default();
    let clock = Clock::new();
    let client = Operations::builder(&base).transport(transport.clone()).timer(Impatient::new(&clock)).build()?;
    let ours = || -> Result<(), Box<dyn Error>> {
        let done = block_on(async {
            let started = client.post("v1/images:export", &()).await?;
            started.poll_until_completed(PollSettings::default()).await
        })?;
        black_box(done.response().ok_or("no response")?.decode_json::<ExportedImage>()?);
        Ok(())
    };
    let hand = || -> Result<(), Box<dyn Error>> {
        black_box(block_on(hand::export_image::<hand::Ignored>(&transport, &base, &clock))?);
        Ok(())
    };
    compare("loopback", &ours, &hand)
}

/// Runs one operation to its end.
type Operation<'a> = &'a dyn Fn() -> Result<(), Box<dyn Error>>;

/// Runs both loops in rounds, and prints polls per second of each and the ratio.
///
/// The ratio is taken per round, because the load of the machine changes between rounds.
pub fn compare(bench: &str, ours: Operation<'_>, hand: Operation<'_>) -> Result<(), Box<dyn Error>> {
    let (mut our_rates, mut hand_rates, mut ratios) = (vec![], vec![], vec![]);
    // Once before the measurement: the first request of each connects.
    ours()?;
    hand()?;
    for round in 0..ROUNDS {
        // The loops take turns in going first, so that neither profits from its place.
        let (our_rate, hand_rate) = if round % 2 == 0 {
            let first = rate(ours)?;
            (first, rate(hand)?)
        } else {
            let first = rate(hand)?;
            (rate(ours)?, first)
        };
        our_rates.push(our_rate);
        hand_rates.push(hand_rate);
        ratios.push(our_rate / hand_rate);
    }
    let subject = |variant| Subject { bench, variant };
    subject("ours").print("rate", median(our_rates), "polls/s");
    subject("hand").print("rate", median(hand_rates), "polls/s");
    subject("ours").print("ours-over-hand", median(ratios), "ratio");
    Ok(())
}

/// Returns the polls per second of one round.
fn rate(operation: Operation<'_>) -> Result<f64, Box<dyn Error>> {
    let began = Instant::now();
    for _ in 0..OPERATIONS_PER_ROUND {
        operation()?;
    }
    Ok((OPERATIONS_PER_ROUND * STEPS) as f64 / began.elapsed().as_secs_f64())
}

/// Starts a server that reads as little of a request as possible, with a thread per connection.
///
/// Every hundredth reply is a success.
fn serve() -> Result<SocketAddr, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let replies = Arc::new(Prepared::default());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let replies = Arc::clone(&replies);
            thread::spawn(move || answer(stream, &replies));
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream, replies: &Prepared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    loop {
        let mut body = 0;
        loop {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                body = length.trim().parse().unwrap_or(0);
            }
            if line == "\r\n" {
                break;
            }
        }
        requests.read_exact(&mut vec![0; body])?;
        let text = replies.next();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: Fri, 20 Nov 2026 12:00:00 GMT\r\ncontent-length:";
        stream.write_all(format!("{head} {}\r\n\r\n{text}", text.len()).as_bytes())?;
    }
}

/// A timer whose delays are over at once, but whose time limits of calls are real, as in any
/// program.
///
/// It tells them apart by their length: the longest delay of the default settings is 20 s.
pub struct Impatient(Clock);

impl Impatient {
    pub fn new(clock: &Clock) -> Self {
        Self(clock.clone())
    }
}

impl Timer for Impatient {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        const LONGEST_PAUSE: Duration = Duration::from_secs(20);
        if duration <= LONGEST_PAUSE { self.0.sleep(duration) } else { AsyncIoTimer.sleep(duration) }
    }

    fn now(&self) -> Instant {
        self.0.now()
    }
}

/// A waker that unparks a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future whose progress depends on other threads.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park_timeout(Duration::from_secs(10));
    }
}
