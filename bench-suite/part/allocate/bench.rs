//! A thousand short-lived objects of 32 bytes, their share of collections included.

use crate::Ready;
use crate::nodes;
use std::hint::black_box;

pub(crate) fn ready() -> Ready {
    let (heap, _) = nodes::heap(pyrite_gc::Config::default());
    Box::new(move |bencher| {
        let mut sum = 0;
        bencher.iter(|| {
            sum = 0;
            for number in 0..1000 {
                sum += nodes::number(black_box(nodes::node(heap, 0, 0, number)));
            }
        });
        sum.to_string()
    })
}
