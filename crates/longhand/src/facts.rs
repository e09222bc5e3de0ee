//! Facts that a program keeps beside a request: one value of each type.

use std::any::Any;

/// Values by their type. Without any, it is one word that is made and dropped for next to nothing.
#[derive(Debug, Default)]
pub(crate) struct Facts(Option<Box<Values>>);

#[derive(Debug, Default)]
struct Values(Vec<Box<dyn Any>>);

impl Facts {
    pub(crate) fn set<T: 'static>(&mut self, fact: T) -> Option<T> {
        let Values(values) = &mut **self.0.get_or_insert_default();
        for kept in &mut *values {
            if let Some(kept) = kept.downcast_mut::<T>() {
                return Some(std::mem::replace(kept, fact));
            }
        }
        values.push(Box::new(fact));
        None
    }

    pub(crate) fn get<T: 'static>(&self) -> Option<&T> {
        self.0.as_ref()?.0.iter().find_map(|fact| fact.downcast_ref())
    }
}
