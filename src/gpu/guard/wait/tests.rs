//! Waits for wgpu's noop device: a wait ends, and a future that waits leaves its thread to others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wgpu::{BufferUsages as Usage, MapMode};

use super::super::tests::{assert_error, device, guard, run};
use super::super::{Owner, oneshot_channel};
use super::*;

/// The words of wgpu's panic become the reason; somebody else's panic in a callback goes on.
#[test]
fn a_panic_of_poll() {
    let words = format!("{POLL_PANIC}Validation Error\n\nCaused by:\n  Parent device is lost\n");
    assert_eq!(reason_or_unwind(Box::new(words)), "Parent device is lost");
    assert_eq!(reason_or_unwind(Box::new(format!("{POLL_PANIC}why\n"))), "why");

    let (device, queue) = device();
    let guard = guard(&device, Owner::Caller);
    queue.on_submitted_work_done(|| panic!("a caller's own"));
    let waited = AssertUnwindSafe(|| run(guard.wait(None, Activity::Drawing)));
    let panic = catch_unwind(waited).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"a caller's own"));
    // and the guard still works
    run(guard.wait(None, Activity::Drawing)).unwrap();
}

/// A poll in another thread has found that the map is there, but has not come to its callback yet.
#[test]
fn a_map_that_another_thread_reports() {
    let (device, _queue) = device();
    let guard = guard(&device, Owner::Caller);
    let usage = Usage::MAP_READ | Usage::COPY_DST;
    let [first, second] =
        ["first", "second"].map(|what| run(guard.buffer(what, 4, usage)).unwrap());
    let (begun, wait_for_it) = std::sync::mpsc::channel();
    first.map_async(MapMode::Read, .., move |_| {
        begun.send(()).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    });
    let map = guard.map("second", second.slice(..), MapMode::Read, None);
    let mapping = run(map).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| device.poll(wgpu::PollType::Poll).unwrap());
        wait_for_it.recv().unwrap();
        let mut result = std::pin::pin!(mapping.result.receive());
        assert!(poll_for(result.as_mut(), Duration::ZERO).is_pending());
        run(guard.finish(mapping)).unwrap();
    });
}

/// A thread waits for a future until the future wakes it, or for a while.
#[test]
fn a_thread_is_woken() {
    let (sender, receiver) = oneshot_channel();
    let mut received = std::pin::pin!(receiver.receive());
    assert!(poll_for(received.as_mut(), Duration::from_millis(1)).is_pending());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(5));
            sender.send(7).unwrap();
        });
        let start = std::time::Instant::now();
        while poll_for(received.as_mut(), Duration::from_secs(60)).is_pending() {
            // a thread may be woken for no reason
            assert!(start.elapsed() < Duration::from_secs(30));
        }
    });
}

/// A guard that yields leaves the wait to another thread, and the thread of the call is free until
/// then. The waiting thread is there for later waits too, takes them one after another, and ends
/// with the guard.
#[test]
fn a_guard_that_yields() {
    let (device, _queue) = device();
    let guard = guard(&device, Owner::Caller).waiting(Waits::Elsewhere);
    let usage = Usage::MAP_READ | Usage::COPY_DST;
    for round in 0..3 {
        let buffer = run(guard.buffer("b", 4, usage)).unwrap();
        let map = |_: usize| run(guard.map("b", buffer.slice(..), MapMode::Read, None)).unwrap();
        let mut finish = std::pin::pin!(guard.finish(map(round)));
        // this thread does not wait
        let mut pending = poll_for(finish.as_mut(), Duration::ZERO);
        let start = std::time::Instant::now();
        let outcome = loop {
            match pending {
                std::task::Poll::Ready(outcome) => break outcome,
                std::task::Poll::Pending => {
                    assert!(start.elapsed() < Duration::from_secs(30));
                    pending = poll_for(finish.as_mut(), Duration::from_millis(100));
                }
            }
        };
        outcome.unwrap();
    }
    let waiter = Arc::downgrade(&guard.waiter);
    drop(guard);
    let start = std::time::Instant::now();
    while waiter.strong_count() > 0 {
        assert!(start.elapsed() < Duration::from_secs(30));
        std::thread::yield_now();
    }
}

/// A waker may drop its future at once, or poll the future at once, as some executors do. Either would wait for ever
/// if the thread that waits for the device woke while it holds a lock that the future takes.
#[test]
fn a_waker_that_drops_or_polls_its_future() {
    type Finish = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
    struct Eager {
        future: Mutex<Option<Finish>>,
        polls: bool,
    }
    impl std::task::Wake for Eager {
        fn wake(self: Arc<Self>) {
            let future = self.future.lock().unwrap().take();
            if let (Some(mut future), true) = (future, self.polls) {
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(future.as_mut().poll(&mut context).is_ready());
            }
        }
    }
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (device, _queue) = device();
        let guard = guard(&device, Owner::Caller).waiting(Waits::Elsewhere);
        let usage = Usage::MAP_READ | Usage::COPY_DST;
        // a buffer that is dropped gives up its mapping
        let mapping = || {
            let buffer = run(guard.buffer("b", 4, usage)).unwrap();
            let mapping = run(guard.map("b", buffer.slice(..), MapMode::Read, None)).unwrap();
            (buffer, mapping)
        };
        for i in 0..40 {
            let (of_future, (_buffer, mapping)) = (guard.clone(), mapping());
            let finish: Finish = Box::pin(async move { of_future.finish(mapping).await });
            let eager = Arc::new(Eager { future: Mutex::new(Some(finish)), polls: i % 2 == 1 });
            let waker = std::task::Waker::from(Arc::clone(&eager));
            let mut future = eager.future.lock().unwrap();
            let mut context = std::task::Context::from_waker(&waker);
            let _ = future.as_mut().unwrap().as_mut().poll(&mut context);
        }
        // the thread that waits has come through all of them
        let (_buffer, mapping) = mapping();
        ended.send(run(guard.finish(mapping))).unwrap();
    });
    end.recv_timeout(Duration::from_secs(60)).expect("the thread that waits goes on").unwrap();
}

/// A wait for something that never comes ends at the timeout, whatever the timeout is.
#[test]
fn a_wait_ends() {
    let (device, _queue) = device();
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        let guard = Guard { timeout, ..guard(&device, Owner::Caller) };
        let start = std::time::Instant::now();
        let waited =
            run(guard.wait_until(None, &Activity::Drawing, guard.deadline(), |patience| {
                std::thread::sleep(patience);
                false
            }));
        assert!(start.elapsed() >= timeout && start.elapsed() < Duration::from_secs(5));
        assert_error!(
            waited,
            Error::Timeout { .. },
            format!(
                "a card (vulkan) did not finish drawing within {timeout:?}; try a longer \
                 GpuSamplerBuilder::with_timeout, or smaller chunks (with_chunk_bytes)"
            )
        );
    }
    let guard = Guard { timeout: Duration::MAX, ..guard(&device, Owner::Caller) };
    run(guard.wait(None, Activity::Drawing)).unwrap();
}
