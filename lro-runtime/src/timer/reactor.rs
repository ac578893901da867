//! Waiting without an executor, by asking the system for news of sockets on the waiting thread.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll},
    time::Instant,
};

use async_io::Timer;

/// Calls `poll` on the calling thread until it is ready: when its waker is woken, and at the time
/// that it returns. Meanwhile the thread asks the system for news of async-io's sockets.
///
/// A reply then wakes the thread that waits for it, and not a thread that wakes that one.
pub(super) fn wait<T>(mut poll: impl FnMut(&mut Context<'_>) -> (Poll<T>, Option<Instant>)) -> T {
    let mut timer = pin!(Timer::never());
    let mut deadline = None;
    async_io::block_on(poll_fn(|context| {
        loop {
            let (polled, until) = poll(context);
            if polled.is_ready() {
                return polled;
            }
            // Set for an earlier deadline only: the limit of each exchange is later than that of
            // the one before, and one poll too many costs less than to set the timer each time.
            if let Some(until) = until
                && deadline.is_none_or(|deadline| until < deadline)
            {
                timer.set_at(until);
                deadline = Some(until);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            deadline = None;
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        pin::Pin,
        thread,
        time::Duration,
    };

    use async_io::Async;

    use super::{
        super::{
            Timer as _,
            park::{ParkTimer, poll_aside},
        },
        *,
    };

    fn block_on<F: Future>(mut future: Pin<&mut F>) -> F::Output {
        wait(|context| poll_aside(future.as_mut(), context))
    }

    #[test]
    fn sleeps_end_in_their_order_and_not_early() {
        let (short, long) = (Duration::from_millis(2), Duration::from_millis(5));
        let began = Instant::now();
        block_on(pin!(async {
            let mut far = ParkTimer.sleep(Duration::from_secs(3_600));
            for pause in [long, short, long] {
                let mut sleep = ParkTimer.sleep(pause);
                poll_fn(|context| {
                    assert!(far.as_mut().poll(context).is_pending());
                    sleep.as_mut().poll(context)
                })
                .await;
            }
        }));
        assert!(began.elapsed() >= long + short + long);
    }

    #[test]
    fn it_is_woken_by_sockets_and_by_other_threads() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let stream = Async::new(listener.accept().unwrap().0).unwrap();
        let mut woken = false;
        block_on(pin!(poll_fn(|context| {
            if woken {
                return Poll::Ready(());
            }
            woken = true;
            let waker = context.waker().clone();
            thread::spawn(move || waker.wake());
            Poll::Pending
        })));
        block_on(pin!(async {
            thread::spawn(move || peer.write_all(b"x").unwrap());
            stream.readable().await.unwrap();
        }));
        assert_eq!(stream.get_ref().read(&mut [0; 2]).unwrap(), 1);
    }

    #[test]
    fn a_nested_call_has_sleeps_of_its_own() {
        let nap = || ParkTimer.sleep(Duration::from_millis(1));
        let mut outer = nap();
        block_on(pin!(poll_fn(|context| {
            let slept = outer.as_mut().poll(context);
            block_on(pin!(nap()));
            slept
        })));
    }
}
