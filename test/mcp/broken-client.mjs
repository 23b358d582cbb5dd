// A client that reaches nothing: the conformance suite has to notice.
process.exitCode = 0;
