//! Facts that a program keeps beside a request: one value of each type.

use std::any::Any;

/// Values by their type. Without any, nothing is allocated.
#[derive(Debug, Default)]
pub(crate) struct Facts(Vec<Box<dyn Any>>);

impl Facts {
    pub(crate) fn set<T: 'static>(&mut self, fact: T) -> Option<T> {
        for kept in &mut self.0 {
            if let Some(kept) = kept.downcast_mut::<T>() {
                return Some(std::mem::replace(kept, fact));
            }
        }
        self.0.push(Box::new(fact));
        None
    }

    pub(crate) fn get<T: 'static>(&self) -> Option<&T> {
        self.0.iter().find_map(|fact| fact.downcast_ref())
    }
}
