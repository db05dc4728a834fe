//! The process's contexts, and what ends them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use bowstring_abi::guard::guard_callback;

use crate::context::Context;
use crate::error::{Kind, RuntimeError};
use crate::handle::{Handle, HandleTable};

#[derive(Default)]
struct Registry {
    open: HandleTable<Arc<Context>>,
    /// Closed contexts that still have retained leases, so that their tokens can be dropped.
    closed: HashMap<Handle, Arc<Context>>,
}

static REGISTRY: LazyLock<RwLock<Registry>> = LazyLock::new(RwLock::default);

/// The contexts that a thread opened. Its destructor runs when the thread exits: the end of a worker that was
/// terminated and could not clean up.
#[derive(Default)]
struct Opened(Vec<Handle>);

impl Drop for Opened {
    fn drop(&mut self) {
        for &handle in &self.0 {
            // Nobody waits for a thread that is exiting, so it does not wait for stores either.
            guard_callback(|| {
                let _ = close(handle, false);
            });
        }
    }
}

thread_local! {
    static OPENED: RefCell<Opened> = RefCell::default();
}

/// Opens a context. It is closed when the calling thread exits, if not before.
pub fn open_context() -> Result<Handle, RuntimeError> {
    let context = Arc::new(Context::new());
    let mut registry = REGISTRY.write().unwrap_or_else(PoisonError::into_inner);
    let handle = registry
        .open
        .insert(context.clone())
        .map_err(|_| RuntimeError::NoHandles(Kind::Context))?;
    context.set_handle(handle);
    drop(registry);
    // A thread so far in its exit that the list is gone keeps the context open for the rest of the process.
    let _ = OPENED.try_with(|opened| opened.borrow_mut().0.push(handle));
    Ok(handle)
}

/// The open context that `handle` names.
pub fn context(handle: Handle) -> Result<Arc<Context>, RuntimeError> {
    let registry = REGISTRY.read().unwrap_or_else(PoisonError::into_inner);
    registry
        .open
        .get(handle)
        .live()
        .cloned()
        .ok_or(RuntimeError::Stale(Kind::Context, handle))
}

/// Closes a context and waits until its stores are closed.
pub fn close_context(handle: Handle) -> Result<(), RuntimeError> {
    let _ = OPENED.try_with(|opened| opened.borrow_mut().0.retain(|&other| other != handle));
    close(handle, true)
}

fn close(handle: Handle, wait_for_stores: bool) -> Result<(), RuntimeError> {
    let context = {
        let mut registry = REGISTRY.write().unwrap_or_else(PoisonError::into_inner);
        let context = registry
            .open
            .remove(handle)
            .live()
            .ok_or(RuntimeError::Stale(Kind::Context, handle))?;
        // In one step with the removal, so that a token always finds its context in one of the two.
        registry.closed.insert(handle, context.clone());
        context
    };
    context.close(wait_for_stores);
    forget_if_empty(handle, &context);
    Ok(())
}

/// Drops one retained reference. `token` is context * 2^32 + lease; a token that names nothing is ignored. From any
/// thread.
pub fn drop_token(token: u64) {
    let (handle, lease) = ((token >> 32) as Handle, token as Handle);
    let context = {
        let registry = REGISTRY.read().unwrap_or_else(PoisonError::into_inner);
        let open = registry.open.get(handle).live();
        match open.or_else(|| registry.closed.get(&handle)) {
            Some(context) => context.clone(),
            None => return,
        }
    };
    let _ = context.drop_reference(lease);
    if context.is_closed() {
        forget_if_empty(handle, &context);
    }
}

fn forget_if_empty(handle: Handle, context: &Context) {
    if !context.has_leases() {
        REGISTRY
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .closed
            .remove(&handle);
    }
}
