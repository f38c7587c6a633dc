extension EventLoop: SerialExecutor {
    public func enqueue(_ job: consuming ExecutorJob) { mailbox.put(.job(UnownedJob(job))) }

    /// What `assumeIsolated` and `preconditionIsolated` of an actor on this loop ask.
    public func checkIsolated() { precondition(isCurrent, "not on the thread of loop \(name)") }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }
}
