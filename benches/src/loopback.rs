//! Measures polls per second over real sockets: our loop beside loops by hand.
//!
//! All use the same server; `ours` and `hand` use the same [`HyperTransport`], in the library's
//! `block_on` and, as `-parked`, in one that leaves it to async-io's thread to ask for news.
//! `reqwest-by-hand` is the loop by hand over a client of reqwest on tokio, and `ours-reqwest` is
//! ours over one, whose requests run on the runtime of the loop or, as `-apart`, on their own.

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

#[cfg(feature = "reqwest")]
use lro_runtime::transport::ReqwestTransport;
use lro_runtime::{
    Operations, PollSettings, Timer,
    timer::{AsyncIoTimer, BoxSleep},
    transport::{BoxFuture, HyperTransport},
};

use crate::{
    report::{Subject, median},
    step::{ExportedImage, Prepared, STEPS, hand},
    virtual_time::Clock,
};

const ROUNDS: usize = 31;
const OPERATIONS_PER_ROUND: usize = 20;

/// Prints polls per second of each loop, and its ratio to the last one; or runs one of them.
pub fn run(repeated: Repeated<'_>) -> Result<(), Box<dyn Error>> {
    let base = format!("http://{}", serve()?);
    let transport = HyperTransport::default();
    let clock = Clock::new();
    let client = Operations::builder(&base).transport(transport.clone()).timer(Impatient::new(&clock)).build()?;
    let export = || export(&client);
    let by_hand = async || -> Result<(), Box<dyn Error>> {
        black_box(hand::export_image::<hand::Ignored>(hand::over(&transport), &base, &clock).await?);
        Ok(())
    };
    let (ours, ours_parked) = (|| lro_runtime::block_on(export()), || block_on(export()));
    let (hand, hand_parked) = (|| lro_runtime::block_on(by_hand()), || block_on(by_hand()));
    #[cfg_attr(not(feature = "reqwest"), expect(unused_mut, reason = "the feature adds one"))]
    let mut loops: Vec<(&str, Operation<'_>)> =
        vec![("ours", &ours), ("ours-parked", &ours_parked), ("hand", &hand), ("hand-parked", &hand_parked)];
    #[cfg(feature = "reqwest")]
    let (in_task, apart, by_reqwest) =
        (over_reqwest(&base, &clock, true)?, over_reqwest(&base, &clock, false)?, by_reqwest(&base, &clock)?);
    #[cfg(feature = "reqwest")]
    loops.extend([
        ("ours-reqwest", &in_task as Operation<'_>),
        ("ours-reqwest-apart", &apart),
        ("reqwest-by-hand", &by_reqwest),
    ]);
    measure("loopback", &loops, repeated)
}

/// Runs one operation in our loop.
async fn export(client: &Operations) -> Result<(), Box<dyn Error>> {
    let started = client.post("v1/images:export", &()).await?;
    let done = started.poll_until_completed(PollSettings::default()).await?;
    black_box(done.response().ok_or("no response")?.decode_json::<ExportedImage>()?);
    Ok(())
}

/// What comes of one operation.
#[cfg(feature = "reqwest")]
type Outcome = Result<(), Box<dyn Error>>;

/// Returns our loop over a client of reqwest, in a runtime of tokio with one thread. The requests
/// run on it as well, or on the background one.
#[cfg(feature = "reqwest")]
fn over_reqwest(base: &str, clock: &Clock, is_in_task: bool) -> Result<impl Fn() -> Outcome, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut transport = ReqwestTransport::new()?;
    if is_in_task {
        transport = transport.on(runtime.handle().clone());
    }
    let client = Operations::builder(base).transport(transport).timer(Impatient::new(clock)).build()?;
    Ok(move || runtime.block_on(export(&client)))
}

/// Returns the loop by hand over a client of reqwest, in a runtime of tokio with one thread.
#[cfg(feature = "reqwest")]
fn by_reqwest(base: &str, clock: &Clock) -> std::io::Result<impl Fn() -> Result<(), Box<dyn Error>>> {
    use lro_runtime::transport::{Reply, Request};

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = reqwest::Client::new();
    let exchange = async move |request: &Request| -> Result<Reply, Box<dyn Error>> {
        let response = client.execute(request.clone().try_into()?).await?;
        let status = response.status();
        let mut reply = Reply::new(response.bytes().await?);
        *reply.status_mut() = status;
        Ok(reply)
    };
    let (base, clock) = (base.to_owned(), clock.clone());
    Ok(move || {
        black_box(runtime.block_on(hand::export_image::<hand::Ignored>(&exchange, &base, &clock))?);
        Ok(())
    })
}

/// Runs one operation to its end.
pub type Operation<'a> = &'a dyn Fn() -> Result<(), Box<dyn Error>>;

/// The loop to run, and how many operations, for valgrind and strace; `None` to compare all.
pub type Repeated<'a> = Option<(&'a str, usize)>;

/// Compares the loops, or runs one of them.
pub fn measure(bench: &str, loops: &[(&str, Operation<'_>)], repeated: Repeated<'_>) -> Result<(), Box<dyn Error>> {
    let Some((variant, operations)) = repeated else { return compare(bench, loops) };
    let (_, operation) = loops.iter().find(|(name, _)| *name == variant).ok_or("there is no such variant")?;
    (0..operations).try_for_each(|_| operation())
}

/// Runs the loops in rounds, and prints polls per second of each and its ratio to the last one.
///
/// The ratio is taken per round, because the load of the machine changes between rounds.
fn compare(bench: &str, loops: &[(&str, Operation<'_>)]) -> Result<(), Box<dyn Error>> {
    // Once before the measurement: the first request of each connects.
    for (_, operation) in loops {
        operation()?;
    }
    let (mut rates, mut ticks) = (vec![vec![]; loops.len()], vec![0; loops.len()]);
    for round in 0..ROUNDS {
        // The loops take turns in going first, so that none profits from its place.
        for turn in 0..loops.len() {
            let index = (round + turn) % loops.len();
            let before = processor_ticks();
            rates[index].push(rate(loops[index].1)?);
            ticks[index] += processor_ticks() - before;
        }
    }
    let (last, reference) = (loops[loops.len() - 1].0, rates[loops.len() - 1].clone());
    for (((variant, _), rates), ticks) in loops.iter().zip(rates).zip(ticks) {
        let subject = Subject { bench, variant };
        if *variant != last {
            let ratios = rates.iter().zip(&reference).map(|(rate, reference)| rate / reference).collect();
            subject.print(&format!("over-{last}"), median(ratios), "ratio");
        }
        subject.print("rate", median(rates), "polls/s");
        let micros = ticks as f64 * 1e6 / TICKS_PER_SECOND;
        subject.print("processor", micros / (ROUNDS * OPERATIONS_PER_ROUND * STEPS) as f64, "us/poll");
    }
    Ok(())
}

/// What Linux counts processor time in, on every common machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// Returns the processor time of this process, the server's threads included; 0 where there is no
/// `/proc`. It depends less than the rate on what else the machine does.
fn processor_ticks() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may contain spaces.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
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

    fn timer(&self, duration: Duration) -> &dyn Timer {
        const LONGEST_PAUSE: Duration = Duration::from_secs(20);
        if duration <= LONGEST_PAUSE { &self.0 } else { &AsyncIoTimer }
    }
}

impl Timer for Impatient {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.timer(duration).sleep(duration)
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        self.timer(duration).reusable_sleep(duration)
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
