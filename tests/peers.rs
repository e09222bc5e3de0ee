//! What other servers got wrong, as tests: a day-one list, and a table of bytes.
//!
//! Each test of the list is named after its lesson, and names the public report where there is one.
//! The table sends raw bytes to a server over a socket, one row for each way in which servers of
//! this kind were seen to differ, and compares status, body and whether the connection ends.

#[path = "peers/lessons.rs"]
mod lessons;
#[path = "peers/table.rs"]
mod table;
