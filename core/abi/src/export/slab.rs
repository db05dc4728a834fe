//! Structs that are made together lie in one allocation, a slab, which to make and to free takes a few steps for a whole
//! table rather than a few for each column.
//!
//! A consumer may move a child out and release the parent first, on another thread. So each struct counts as a reference to
//! the slab, and the last one that is released frees it, with what it keeps. Those that are released together count as one
//! step.

use std::any::Any;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Release as Releasing},
    fence,
};

use crate::SchemaTree;
use crate::guard::guard_callback;
use crate::raw::{ArrowArray, ArrowSchema};

type Release<T> = unsafe extern "C" fn(*mut T);

/// What both kinds of structs have.
pub(crate) trait Linked: Sized + 'static {
    /// One that holds nothing.
    const RELEASED: Self;

    fn children(&self) -> (*mut *mut Self, i64);
    fn dictionary(&self) -> *mut Self;
    fn private_data(&self) -> *mut c_void;
    fn release(&mut self) -> &mut Option<Release<Self>>;
    fn link(&mut self, children: *mut *mut Self, dictionary: *mut Self, private_data: *mut c_void);
}

macro_rules! linked {
    ($struct:ty) => {
        impl Linked for $struct {
            const RELEASED: Self = Self::released();

            fn children(&self) -> (*mut *mut Self, i64) {
                (self.children, self.n_children)
            }

            fn dictionary(&self) -> *mut Self {
                self.dictionary
            }

            fn private_data(&self) -> *mut c_void {
                self.private_data
            }

            fn release(&mut self) -> &mut Option<Release<Self>> {
                &mut self.release
            }

            fn link(
                &mut self,
                children: *mut *mut Self,
                dictionary: *mut Self,
                private_data: *mut c_void,
            ) {
                self.children = children;
                self.dictionary = dictionary;
                self.private_data = private_data;
            }
        }
    };
}

linked!(ArrowArray);
linked!(ArrowSchema);

/// The allocation.
struct Slab<T, K> {
    /// How many structs have not been released.
    live: AtomicUsize,
    structs: Vec<UnsafeCell<T>>,
    /// What the `children` of the structs point to.
    _children: Vec<*mut T>,
    _kept: K,
}

/// How the structs of a slab hang together, which are in pre-order, dictionaries after the children: the same for all schemas
/// and arrays of one type.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Of each struct: its first child in `children`, and its dictionary.
    links: Vec<(usize, Option<usize>)>,
    children: Vec<usize>,
}

impl Shape {
    pub fn of(tree: &SchemaTree) -> Self {
        let mut shape = Self {
            links: Vec::new(),
            children: Vec::new(),
        };
        shape.add(tree);
        shape
    }

    /// How many structs there are.
    pub fn len(&self) -> usize {
        self.links.len()
    }

    fn add(&mut self, tree: &SchemaTree) -> usize {
        let (node, first) = (self.links.len(), self.children.len());
        self.links.push((first, None));
        self.children.resize(first + tree.children.len(), 0);
        for (index, child) in tree.children.iter().enumerate() {
            self.children[first + index] = self.add(child);
        }
        self.links[node].1 = tree.dictionary.as_deref().map(|tree| self.add(tree));
        node
    }
}

/// Puts structs, each of which says how many children it has, into a slab. Returns the outermost one, which the caller owns.
/// `kept` is dropped when all of them have been released.
fn slab<T: Linked, K: Send + Sync + 'static>(structs: Vec<T>, shape: &Shape, kept: K) -> T {
    debug_assert_eq!(structs.len(), shape.len());
    let structs: Vec<UnsafeCell<T>> = structs.into_iter().map(UnsafeCell::new).collect();
    let children = shape.children.iter().map(|&child| structs[child].get());
    let mut children: Vec<*mut T> = children.collect();
    let first_child = children.as_mut_ptr();
    let slab = Box::into_raw(Box::new(Slab {
        live: AtomicUsize::new(structs.len()),
        structs,
        _children: children,
        _kept: kept,
    }));
    // SAFETY: it was made above, and lives until each of its structs has been released.
    let structs = unsafe { &(*slab).structs };
    for (item, &(first, dictionary)) in structs.iter().zip(&shape.links) {
        let dictionary = dictionary.map_or(std::ptr::null_mut(), |at| structs[at].get());
        // SAFETY: nobody else has seen the struct yet.
        let item = unsafe { &mut *item.get() };
        // A struct without children may point to the end of them.
        item.link(first_child.wrapping_add(first), dictionary, slab.cast());
        *item.release() = Some(release::<T, K>);
    }
    // SAFETY: as above; the outermost struct has been moved out of the slab then.
    unsafe { structs[0].get().replace(T::RELEASED) }
}

/// The outermost of these arrays. `buffers` are the addresses of all arrays' buffers, in the order of the arrays, each of
/// which says how many it has. `kept` is dropped when all arrays have been released.
pub(crate) fn slab_of_arrays<K: Send + Sync + 'static>(
    mut arrays: Vec<ArrowArray>,
    mut buffers: Vec<*const c_void>,
    shape: &Shape,
    kept: K,
) -> ArrowArray {
    let first = buffers.as_mut_ptr();
    let mut next = 0;
    for array in &mut arrays {
        array.buffers = first.wrapping_add(next);
        next += array.n_buffers as usize;
    }
    debug_assert_eq!(next, buffers.len());
    slab(arrays, shape, (Addresses { _buffers: buffers }, kept))
}

/// The outermost of these schemas, whose strings `owner` keeps alive.
pub(crate) fn slab_of_schemas(
    schemas: Vec<ArrowSchema>,
    shape: &Shape,
    owner: Arc<dyn Any + Send + Sync>,
) -> ArrowSchema {
    slab(schemas, shape, owner)
}

/// The addresses that the `buffers` of arrays point to.
struct Addresses {
    _buffers: Vec<*const c_void>,
}

// SAFETY: nothing is read through the addresses here, and they are only dropped.
unsafe impl Send for Addresses {}
// SAFETY: as above.
unsafe impl Sync for Addresses {}

unsafe extern "C" fn release<T: Linked, K>(item: *mut T) {
    guard_callback(|| {
        // SAFETY: the caller passes a struct that has this function as its `release`, or null.
        let Some(item) = (unsafe { item.as_mut() }) else {
            return;
        };
        if item.release().is_none() {
            return;
        }
        let slab = item.private_data().cast::<Slab<T, K>>();
        // SAFETY: `slab` made the struct, which had not been released.
        let released = unsafe { release_below::<T, K>(item, slab) };
        // SAFETY: the slab lives until each of its structs has been released, of which these were some.
        let live = unsafe { (*slab).live.fetch_sub(released, Releasing) };
        if live == released {
            // What other threads did before they released theirs is done before it is freed.
            fence(Acquire);
            // SAFETY: `slab` made it by `Box::into_raw`, and nobody has one of its structs any more.
            drop(unsafe { Box::from_raw(slab) });
        }
    });
}

/// Marks a struct and those below it as released, and returns how many of the slab's these were. The depth is that of a
/// schema, which is bounded.
///
/// # Safety
/// `item` is one of the slab's structs, perhaps moved elsewhere, and has not been released.
unsafe fn release_below<T: Linked, K>(item: &mut T, slab: *mut Slab<T, K>) -> usize {
    *item.release() = None;
    let mut released = 1;
    let (children, count) = item.children();
    let children = (0..count as usize).map(|index| {
        // SAFETY: the pointers are in the slab, as many as the struct has children.
        unsafe { *children.add(index) }
    });
    let dictionary = Some(item.dictionary()).filter(|dictionary| !dictionary.is_null());
    for child in children.chain(dictionary) {
        // SAFETY: the child lies in the slab, and only its parent, of which this is the one release, looks at it there.
        let child = unsafe { &mut *child };
        // A child without `release` has been moved out; its new owner releases it.
        let Some(theirs) = *child.release() else {
            continue;
        };
        if child.private_data() == slab.cast() {
            // SAFETY: it has not been released, and this slab made it.
            released += unsafe { release_below(child, slab) };
        } else {
            // SAFETY: somebody put a struct of theirs in its place, which is the parent's to release.
            unsafe { theirs(child) };
        }
    }
    released
}
