//! Structs that are made together lie in one allocation, a slab, which to make and to free takes a few steps for a whole
//! table rather than a few for each column.
//!
//! A consumer may move a child out and release the parent first, on another thread. So each struct counts as a reference to
//! the slab, and the last one that is released frees it, with what it keeps.

use std::any::Any;
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::sync::Arc;

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
    structs: Vec<UnsafeCell<T>>,
    /// What the `children` of the structs point to.
    _children: Vec<*mut T>,
    _kept: K,
}

/// Structs on their way into a slab, the outermost first.
pub(crate) struct Draft<T> {
    structs: Vec<T>,
    /// Of each struct: its first child in `children`, and its dictionary.
    links: Vec<(usize, Option<usize>)>,
    children: Vec<usize>,
}

impl<T: Linked> Draft<T> {
    pub fn new() -> Self {
        Self {
            structs: Vec::with_capacity(16),
            links: Vec::with_capacity(16),
            children: Vec::with_capacity(16),
        }
    }

    /// Adds a struct, which says how many children it has; they and its dictionary are set when they have been added.
    pub fn add(&mut self, item: T) -> usize {
        let (_, count) = item.children();
        let first = self.children.len();
        self.children.resize(first + count as usize, 0);
        self.links.push((first, None));
        self.structs.push(item);
        self.structs.len() - 1
    }

    pub fn set_child(&mut self, parent: usize, index: usize, child: usize) {
        let (first, _) = self.links[parent];
        self.children[first + index] = child;
    }

    pub fn set_dictionary(&mut self, parent: usize, dictionary: usize) {
        self.links[parent].1 = Some(dictionary);
    }

    /// The outermost struct, which the caller owns. `kept` is dropped when all of them have been released.
    fn finish<K: Send + Sync + 'static>(self, kept: K) -> T {
        let Self {
            structs,
            links,
            children,
        } = self;
        let structs: Vec<UnsafeCell<T>> = structs.into_iter().map(UnsafeCell::new).collect();
        let mut children: Vec<*mut T> = children
            .into_iter()
            .map(|child| structs[child].get())
            .collect();
        let first_child = children.as_mut_ptr();
        let slab = Arc::new(Slab {
            structs,
            _children: children,
            _kept: kept,
        });
        for (item, (first, dictionary)) in slab.structs.iter().zip(links) {
            let dictionary = dictionary.map_or(std::ptr::null_mut(), |at| slab.structs[at].get());
            // SAFETY: nobody else has seen the struct yet.
            let item = unsafe { &mut *item.get() };
            let private_data = Arc::into_raw(slab.clone()).cast_mut().cast();
            // A struct without children may point to the end of them.
            item.link(first_child.wrapping_add(first), dictionary, private_data);
            *item.release() = Some(release::<T, K>);
        }
        // SAFETY: as above; the outermost struct has been moved out of the slab then.
        unsafe { slab.structs[0].get().replace(T::RELEASED) }
    }
}

impl Draft<ArrowArray> {
    /// The outermost array. `buffers` are the addresses of all arrays' buffers, in the order in which the arrays were added,
    /// each of which says how many it has.
    pub fn into_array(
        mut self,
        mut buffers: Vec<*const c_void>,
        owner: Arc<dyn Any + Send + Sync>,
    ) -> ArrowArray {
        let first = buffers.as_mut_ptr();
        let mut next = 0;
        for array in &mut self.structs {
            array.buffers = first.wrapping_add(next);
            next += array.n_buffers as usize;
        }
        debug_assert_eq!(next, buffers.len());
        self.finish((Addresses { _buffers: buffers }, owner))
    }
}

/// The addresses that the `buffers` of arrays point to.
struct Addresses {
    _buffers: Vec<*const c_void>,
}

// SAFETY: nothing is read through the addresses here, and they are only dropped.
unsafe impl Send for Addresses {}
// SAFETY: as above.
unsafe impl Sync for Addresses {}

impl Draft<ArrowSchema> {
    /// The outermost schema, whose strings `owner` keeps alive.
    pub fn into_schema(self, owner: Arc<dyn Any + Send + Sync>) -> ArrowSchema {
        self.finish(owner)
    }
}

unsafe extern "C" fn release<T: Linked, K>(item: *mut T) {
    guard_callback(|| {
        // SAFETY: the caller passes a struct that has this function as its `release`, or null.
        let Some(item) = (unsafe { item.as_mut() }) else {
            return;
        };
        if item.release().take().is_none() {
            return;
        }
        // SAFETY: `finish` made this reference for this struct, and `release` having been set means that it was not given
        // back yet.
        let slab = unsafe { Arc::from_raw(item.private_data().cast::<Slab<T, K>>()) };
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
            if let Some(release) = *child.release() {
                // SAFETY: the child is not released yet, and is the parent's to release.
                unsafe { release(child) };
            }
        }
        drop(slab);
    });
}
