//! What a caller reads when a call fails, and that no panic gets out.

use bowstring_abi::guard::{guard, guard_callback};
use bowstring_abi::{BowError, Failure, Status};

fn run(error: &mut BowError, body: impl FnOnce() -> Result<Status, Failure>) -> i32 {
    // SAFETY: the error struct is whole.
    unsafe { guard(error, body) }
}

#[test]
fn success_leaves_the_error_untouched() {
    for status in [Status::Ok, Status::Pending, Status::Done] {
        let mut error = BowError {
            code: 99,
            length: 3,
            ..BowError::new()
        };
        assert_eq!(run(&mut error, || Ok(status)), status as i32);
        assert_eq!((error.code, error.length, error.message[0]), (99, 3, 0));
    }
}

#[test]
fn a_failure_is_written_with_its_status() {
    let mut error = BowError::new();
    assert_eq!(
        run(&mut error, || Err(Failure::new(
            Status::Io,
            "no such file: é"
        ))),
        22
    );
    assert_eq!((error.size, error.code, error.length), (512, 22, 16));
    assert_eq!(error.message(), "no such file: é");
    assert_eq!(error.message[16], 0, "a NUL follows");
}

#[test]
fn a_panic_becomes_a_status() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the payload panics too");
        }
    }
    let mut error = BowError::new();
    assert_eq!(run(&mut error, || panic!("a literal")), 28);
    assert_eq!(
        error.message(),
        "internal error, please report it: a literal"
    );
    assert_eq!(run(&mut error, || panic!("formatted {}", 7)), 28);
    assert_eq!(
        error.message(),
        "internal error, please report it: formatted 7"
    );
    assert_eq!(run(&mut error, || std::panic::panic_any(Bomb)), 28);
    assert_eq!(
        error.message(),
        "internal error, please report it: a panic without a message"
    );
    guard_callback(|| panic!("nobody to tell"));
}

#[test]
fn a_null_error_is_accepted() {
    // SAFETY: null is allowed.
    let status = unsafe {
        guard(std::ptr::null_mut(), || {
            Err(Failure::new(Status::Busy, "later"))
        })
    };
    assert_eq!(status, 26);
}

#[test]
fn the_message_is_cut_to_the_callers_size_at_a_character() {
    let text = "é".repeat(400);
    // Size of the struct, bytes of the message: a NUL needs one, and "é" two.
    let cases = [
        (0, None),
        (12, None),
        (13, Some(0)),
        (14, Some(0)),
        (15, Some(2)),
        (16, Some(2)),
        (17, Some(4)),
        (512, Some(498)),
    ];
    for (size, expected) in cases {
        let mut error = BowError {
            size,
            code: 99,
            length: 99,
            message: [7; 500],
        };
        assert_eq!(
            run(&mut error, || Err(Failure::new(
                Status::Store,
                text.as_str()
            ))),
            25
        );
        let Some(length) = expected else {
            assert_eq!(
                (error.code, error.length, error.message),
                (99, 99, [7; 500]),
                "size {size}"
            );
            continue;
        };
        assert_eq!((error.code, error.length), (25, length), "size {size}");
        assert_eq!(error.message(), &text[..length as usize]);
        assert_eq!(error.message[length as usize], 0);
        let after = length as usize + 1;
        assert!(
            error.message[after..].iter().all(|&byte| byte == 7),
            "nothing is written behind the NUL"
        );
    }
}

#[test]
fn room_behind_the_struct_takes_a_longer_message() {
    #[repr(C)]
    struct Roomy(BowError, [u8; 1000]);
    let mut roomy = Roomy(BowError::new(), [7; 1000]);
    roomy.0.size = size_of::<Roomy>() as u32;
    let body = || Err(Failure::new(Status::Store, "x".repeat(800)));
    // SAFETY: as much can be written as the size says.
    let status = unsafe { bowstring_abi::guard::guard((&raw mut roomy).cast(), body) };
    assert_eq!((status, roomy.0.length), (25, 800));
    assert_eq!((roomy.1[299], roomy.1[300], roomy.1[301]), (b'x', 0, 7));
}
