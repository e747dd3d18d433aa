//! Numbers, texts and bytes as `java.io.DataOutput` writes them.

use super::fault::ContainerFault;

pub(super) const SHORT: ContainerFault = ContainerFault::Damaged("its bytes end too early");

/// What is left to be read. Nothing is read beyond its end.
pub(super) struct JavaBytes<'a> {
    rest: &'a [u8],
}

impl<'a> JavaBytes<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many there are left.
    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], ContainerFault> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(SHORT)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn octet(&mut self) -> Result<u8, ContainerFault> {
        let [octet] = self.array()?;
        Ok(octet)
    }

    pub(super) fn short(&mut self) -> Result<u16, ContainerFault> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn number(&mut self) -> Result<u32, ContainerFault> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Bytes behind their number.
    pub(super) fn counted(&mut self) -> Result<&'a [u8], ContainerFault> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(|_| SHORT)?)
    }

    /// A text, in Java's own UTF-8.
    pub(super) fn text(&mut self) -> Result<&'a [u8], ContainerFault> {
        let length = self.short()?;
        self.take(usize::from(length))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ContainerFault> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(SHORT)?;
        self.rest = rest;
        Ok(*array)
    }
}
