//! The faults: what a server makes of a reply.

use std::{
    io,
    net::TcpStream,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use smol::{
    Async, Timer,
    io::{AsyncReadExt, AsyncWriteExt},
};

use super::server::Answer;

/// The time between two bytes that drip.
const DRIP: Duration = Duration::from_millis(5);

/// The time before the next poll in which a second reply comes.
const IDLE: Duration = Duration::from_millis(50);

/// How often a server that sends without an end does so. It ends long after the time limit of a
/// poll.
const ENDLESS: u32 = 2_000;

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident = $name:literal,)*) => {
        /// What goes wrong with a reply.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$doc])* $fault,)*
        }

        impl Fault {
            /// Every fault.
            pub const ALL: &[Self] = &[$(Self::$fault,)*];

            /// Returns the name that it is counted under.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$fault => $name,)*
                }
            }
        }
    };
}

faults! {
    /// Nothing: the reply arrives as it is.
    Nothing = "nothing",
    /// A reset before the first byte.
    ResetBeforeHead = "reset_before_head",
    /// A reset in the middle of the head.
    ResetInHead = "reset_in_head",
    /// A reset in the middle of the body.
    ResetInBody = "reset_in_body",
    /// A connection that ends before the first byte.
    NoReply = "no_reply",
    /// A connection that ends in the middle of the head.
    HalfHead = "half_head",
    /// A connection that ends in the middle of the body: the body is shorter than announced.
    HalfBody = "half_body",
    /// A body that is longer than announced: the rest of it comes before the next reply.
    LongBody = "long_body",
    /// A body of which nobody says the length, and which does not end.
    StuckBody = "stuck_body",
    /// Chunks that are none.
    ChunkedGarbage = "chunked_garbage",
    /// A body in chunks that is also said to have a length.
    LengthAndChunks = "length_and_chunks",
    /// Two lengths, of which one is wrong.
    TwoLengths = "two_lengths",
    /// A header of 300 KB.
    HugeHeader = "huge_header",
    /// Interim replies without an end.
    EndlessInterim = "endless_interim",
    /// No reply, and a connection that stays open.
    Silent = "silent",
    /// A reply that comes byte by byte.
    Drip = "drip",
    /// A connection that is closed after the reply, without a word.
    CloseAfterReply = "close_after_reply",
    /// A connection that is closed although the reply says that it stays open.
    KeepAliveLie = "keep_alive_lie",
    /// A connection that stays open although the reply says that it is closed.
    CloseLie = "close_lie",
    /// A second reply, which nobody asked for, together with the first.
    Surplus = "surplus",
    /// A second reply, which comes while the connection is idle.
    LateSurplus = "late_surplus",
    /// A version of HTTP that the client does not speak, or none.
    WrongVersion = "wrong_version",
    /// A `204` with a body, which is a whole reply.
    NoContentWithBody = "no_content_with_body",
    /// A plain body that is said to be compressed.
    FalseGzip = "false_gzip",
    /// A redirect to another origin.
    Redirect = "redirect",
    /// A page for people.
    Page = "page",
    /// An overload.
    Unavailable = "unavailable",
}

impl Fault {
    /// Whether the connection is reset after what [`reply`](Self::reply) makes.
    pub(super) fn resets(self) -> bool {
        matches!(self, Self::ResetBeforeHead | Self::ResetInHead | Self::ResetInBody)
    }

    /// Returns the bytes that are sent.
    pub(super) fn reply(self, answer: &Answer) -> Vec<u8> {
        let Answer { body, stray, elsewhere, .. } = answer;
        let mut random = answer.random.clone();
        let length = body.len();
        let good = reply(answer.status, "", body);
        let head = good.len() - length;
        // Somewhere inside: at least one byte of it is sent, and at least one is not.
        let mut part =
            |whole: &str, from: usize| whole.get(..random.usize(from + 1..whole.len())).unwrap_or(whole).to_owned();
        let text = match self {
            Self::ResetBeforeHead | Self::NoReply | Self::Silent => String::new(),
            Self::ResetInHead | Self::HalfHead => part(good.get(..head).unwrap_or_default(), 0),
            Self::ResetInBody | Self::HalfBody => part(&good, head),
            Self::LongBody => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", random.usize(1..length)),
            Self::StuckBody => format!("HTTP/1.1 200 OK\r\n\r\n{body}"),
            Self::ChunkedGarbage => {
                let garbage =
                    ["zz\r\n", "-5\r\n{}", "ffffffffffffffff\r\n{}", "5\r\n{}\r\n\r\n0\r\n\r\n", "2;\n{}", "\r\n\r\n"];
                let garbage = random.choice(garbage).unwrap_or_default();
                format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{garbage}")
            }
            Self::LengthAndChunks => {
                let chunks = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
                let said = random.usize(0..chunks.len() + stray.len());
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {said}\r\ntransfer-encoding: chunked\r\n\r\n{chunks}{stray}"
                )
            }
            Self::TwoLengths => {
                let wrong = random.usize(0..length + stray.len());
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\ncontent-length: {wrong}\r\n\r\n{body}{stray}")
            }
            Self::HugeHeader => reply(200, &format!("x-filler: {}\r\n", "a".repeat(300_000)), body),
            Self::EndlessInterim => {
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".to_owned()
            }
            Self::Nothing | Self::Drip | Self::CloseAfterReply => good,
            Self::LateSurplus => reply(200, &format!("retry-after-ms: {}\r\n", IDLE.as_millis()), body),
            Self::KeepAliveLie => reply(200, "connection: keep-alive\r\nkeep-alive: timeout=3600\r\n", body),
            Self::CloseLie => reply(200, "connection: close\r\n", body),
            Self::Surplus => format!("{good}{stray}"),
            Self::WrongVersion => {
                let lines =
                    ["HTTP/1.7 200 OK", "HTTP/2 200", "HTTP/0.9 200 OK", "ICY 200 OK", "{}", "HTTP/1.1 20 OK", "\0"];
                format!("{}\r\ncontent-length: {length}\r\n\r\n{body}", random.choice(lines).unwrap_or_default())
            }
            Self::NoContentWithBody => {
                format!("HTTP/1.1 204 No Content\r\ncontent-length: {}\r\n\r\n{stray}", stray.len())
            }
            Self::FalseGzip => reply(200, "content-encoding: gzip\r\n", body),
            Self::Redirect => {
                let status = random.choice([301, 302, 303, 307, 308]).unwrap_or(302);
                reply(status, &format!("location: {elsewhere}\r\n"), "")
            }
            Self::Page => reply(200, "content-type: text/html\r\n", "<html>Sign in</html>"),
            Self::Unavailable => reply(503, "retry-after: 0\r\n", "{}"),
        };
        text.into_bytes()
    }

    /// Sends what the fault makes of the answer, and returns whether the connection stays open.
    pub(super) async fn play(self, stream: &mut Async<TcpStream>, mut answer: Answer) -> io::Result<bool> {
        let reply = self.reply(&answer);
        match self {
            Self::Drip => {
                for byte in reply {
                    stream.write_all(&[byte]).await?;
                    Timer::after(DRIP).await;
                }
            }
            Self::EndlessInterim => {
                for _ in 0..ENDLESS {
                    stream.write_all(&reply).await?;
                    Timer::after(DRIP).await;
                }
            }
            _ => stream.write_all(&reply).await?,
        }
        match self {
            Self::Silent | Self::StuckBody => {
                // Until the client has gone.
                let _ = stream.read(&mut [0]).await;
                Ok(false)
            }
            Self::LateSurplus => {
                let began = Instant::now();
                Timer::after(Duration::from_micros(answer.random.u64(0..4_000))).await;
                stream.write_all(answer.stray.as_bytes()).await?;
                // Where the machine is busy, this thread may be: what comes together with the next
                // request cannot be told from its reply.
                answer.crossed.fetch_or(began.elapsed() > IDLE / 2, Ordering::SeqCst);
                Ok(true)
            }
            Self::NoReply
            | Self::HalfHead
            | Self::HalfBody
            | Self::CloseAfterReply
            | Self::KeepAliveLie
            | Self::EndlessInterim => Ok(false),
            _ => Ok(true),
        }
    }
}

/// Writes a reply as it should be.
pub(super) fn reply(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Reply\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}
