//! Array structs of this library's own.

use std::any::Any;
use std::ffi::c_void;
use std::sync::Arc;

use arrow_buffer::Buffer;

use crate::export::schema::boxed;
use crate::guard::guard_callback;
use crate::raw::ArrowArray;

/// The native allocation that a buffer lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allocation {
    pub start: usize,
    pub capacity: usize,
}

/// Where buffers without bytes point: some consumers refuse null there, and these zeros are also the one offset that
/// an empty variable-length array has.
#[repr(align(64))]
struct Zeros([u8; 64]);

static ZEROS: Zeros = Zeros([0; 64]);

/// The address that an exported array has for a buffer without bytes, at which 64 zeros are readable for ever.
pub fn no_bytes() -> *const c_void {
    ZEROS.0.as_ptr().cast()
}

/// What an [`ArrowArray`] of this library's own is made of.
pub struct ArrayParts {
    /// How many items the array has.
    pub length: i64,
    /// How many of them are null; -1 when not computed.
    pub null_count: i64,
    /// How many items at the start of the buffers do not belong to the array.
    pub offset: i64,
    /// The addresses of the buffers, of view types with that of the sizes.
    pub buffers: Vec<*const c_void>,
    /// The children, which become the array's.
    pub children: Vec<ArrowArray>,
    /// The dictionary, which becomes the array's.
    pub dictionary: Option<ArrowArray>,
    /// What keeps the memory at the addresses; dropped when the array is released, on whatever thread that is.
    pub owner: Arc<dyn Any + Send + Sync>,
}

impl ArrayParts {
    /// The array, whose `release` is this library's and which the caller owns. Nothing is checked: whether buffers and
    /// children are what a type needs tells [`check_root`](crate::check::check_root) when array and schema are together.
    pub fn into_raw(self) -> ArrowArray {
        let allocations = vec![None; self.buffers.len()];
        new_array(
            [self.length, self.null_count, self.offset],
            self.buffers,
            allocations.into(),
            self.children,
            self.dictionary,
            Owner::Shared { _owner: self.owner },
        )
    }
}

/// Whatever keeps the memory behind a struct alive.
pub(super) enum Owner {
    Buffers {
        _buffers: Vec<Buffer>,
        /// The sizes of variadic buffers.
        _sizes: Box<[i64]>,
    },
    Shared {
        _owner: Arc<dyn Any + Send + Sync>,
    },
}

/// The `private_data` of an array of this library's own.
struct ArrayPrivate {
    buffers: Box<[*const c_void]>,
    allocations: Box<[Option<Allocation>]>,
    children: Box<[*mut ArrowArray]>,
    _owner: Owner,
}

pub(super) fn new_array(
    [length, null_count, offset]: [i64; 3],
    buffers: Vec<*const c_void>,
    allocations: Box<[Option<Allocation>]>,
    children: Vec<ArrowArray>,
    dictionary: Option<ArrowArray>,
    owner: Owner,
) -> ArrowArray {
    let children = children
        .into_iter()
        .map(|child| Box::into_raw(Box::new(child)))
        .collect();
    let mut private = Box::new(ArrayPrivate {
        buffers: buffers.into(),
        allocations,
        children,
        _owner: owner,
    });
    ArrowArray {
        length,
        null_count,
        offset,
        n_buffers: private.buffers.len() as i64,
        n_children: private.children.len() as i64,
        buffers: private.buffers.as_mut_ptr(),
        children: private.children.as_mut_ptr(),
        dictionary: boxed(dictionary),
        release: Some(RELEASE_ARRAY),
        private_data: Box::into_raw(private).cast(),
    }
}

type ReleaseArray = unsafe extern "C" fn(*mut ArrowArray);

/// Arrays of this library's own are told by this address. It is kept in a static because a function item may have
/// several addresses; `inline(never)` and one static make it a single one.
static RELEASE_ARRAY: ReleaseArray = release_array;

#[inline(never)]
unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    guard_callback(|| {
        // SAFETY: the caller passes an array that has this function as its `release`, or null.
        let Some(array) = (unsafe { array.as_mut() }) else {
            return;
        };
        if array.release.take().is_none() {
            return;
        }
        // SAFETY: `new_array` made it, and `release` having been set means that it was not freed yet.
        let private = unsafe { Box::from_raw(array.private_data.cast::<ArrayPrivate>()) };
        for &child in private
            .children
            .iter()
            .chain((!array.dictionary.is_null()).then_some(&array.dictionary))
        {
            // SAFETY: each was boxed when the parent was made, and only its parent frees the box.
            let mut child = unsafe { Box::from_raw(child) };
            // A child without `release` has been moved out; its new owner releases it.
            if let Some(release) = child.release {
                // SAFETY: the child is not released yet, and is the parent's to release.
                unsafe { release(&mut *child) };
            }
        }
    });
}

/// The allocation behind each buffer of an array that this library exported; `None` for any other array.
pub(crate) fn allocations_of(array: &ArrowArray) -> Option<&[Option<Allocation>]> {
    let release = array.release?;
    if !std::ptr::fn_addr_eq(release, RELEASE_ARRAY) {
        return None;
    }
    // SAFETY: only `new_array` sets this `release`, together with this `private_data`, which lives until the release.
    let private = unsafe { &*array.private_data.cast::<ArrayPrivate>() };
    Some(&private.allocations)
}
