//! The cells of an open-addressing table, on huge pages where the system offers them.

use bytemuck::{cast_slice, cast_slice_mut};
use memmap2::MmapMut;

/// Bytes from which on pages of their own pay.
const LARGE: usize = 4 << 20;

enum Memory<const N: usize> {
    Heap(Vec<[u64; N]>),
    Pages(MmapMut),
}

/// A power of two of slots of so many words; one whose last word is 0 is free. A look-up in a large table misses the caches
/// anyway; on huge pages it does not miss the page table too.
pub struct Slots<const N: usize> {
    memory: Memory<N>,
    count: usize,
}

impl<const N: usize> Slots<N> {
    /// Free slots.
    pub fn new(count: usize) -> Self {
        let size = count * size_of::<[u64; N]>();
        if size >= LARGE {
            if let Ok(pages) = MmapMut::map_anon(size) {
                // Advice that is not taken costs time only.
                #[cfg(target_os = "linux")]
                let _ = pages.advise(memmap2::Advice::HugePage);
                let memory = Memory::Pages(pages);
                return Self { memory, count };
            }
        }
        let memory = Memory::Heap(vec![[0; N]; count]);
        Self { memory, count }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// Make room for more than are held, so that half of all slots stay free; `home` is the hash of what is in a slot.
    pub fn reserve(&mut self, held: usize, more: usize, home: impl Fn(&[u64; N]) -> usize) {
        let count = ((held + more) * 2).next_power_of_two();
        if count <= self.count {
            return;
        }
        let mut grown = Self::new(count);
        let (mask, slots) = (count - 1, grown.all_mut());
        for slot in self.all().iter().filter(|slot| slot[N - 1] != 0) {
            let mut index = home(slot) & mask;
            while slots[index][N - 1] != 0 {
                index = (index + 1) & mask;
            }
            slots[index] = *slot;
        }
        *self = grown;
    }

    #[inline]
    pub fn all(&self) -> &[[u64; N]] {
        match &self.memory {
            Memory::Heap(slots) => slots,
            Memory::Pages(pages) => cast_slice(pages),
        }
    }

    #[inline]
    pub fn all_mut(&mut self) -> &mut [[u64; N]] {
        match &mut self.memory {
            Memory::Heap(slots) => slots,
            Memory::Pages(pages) => cast_slice_mut(pages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_slots_are_as_free_as_few() {
        for count in [64, LARGE / size_of::<[u64; 2]>()] {
            let mut slots = Slots::<2>::new(count);
            assert_eq!(slots.all(), vec![[0; 2]; count]);
            slots.all_mut()[count - 1] = [1, 2];
            assert_eq!(slots.all()[count - 1], [1, 2]);
        }
    }
}
