public import Contracts
internal import FoundationEssentials
internal import Logging

extension Bus {
    /// Performs a command in a task of its own; requests of the shared queue are acknowledged when the body has ended, so
    /// that another instance performs them if this one dies.
    public func serve<C: Command>(
        _ command: C.Type, on scope: ServeScope = .anyInstance,
        _ body: @escaping @Sendable (C, Delivery) async throws -> C.Reply
    ) {
        let logger = logger
        register(command, scope) { command, delivery, answering in
            Self.perform(command, delivery, answering, logger, body)
        }
    }

    /// The same for what is mostly done in no time on a thread of the service's own: `attempt` is called on the bus's reader thread, must not block,
    /// and tells, from anywhere and once, the answer, or nil: then `body` performs the command.
    public func serve<C: Command>(
        _ command: C.Type, on scope: ServeScope = .anyInstance,
        attempting attempt: @escaping @Sendable (C, Delivery, @escaping @Sendable (C.Reply?) -> Void) -> Void,
        otherwise body: @escaping @Sendable (C, Delivery) async throws -> C.Reply
    ) {
        let logger = logger
        register(command, scope) { command, delivery, answering in
            attempt(command, delivery) { reply in
                if let reply { answering(Self.answer(reply)) } else { Self.perform(command, delivery, answering, logger, body) }
            }
        }
    }

    private static func perform<C: Command>(
        _ command: C, _ delivery: Delivery, _ answering: Answering, _ logger: Logger,
        _ body: @escaping @Sendable (C, Delivery) async throws -> C.Reply
    ) {
        // Bounded by the prefetch and by the performer's limit; `stop` waits for it. Begun on this thread: as far as the first thing that the
        // body waits for, nobody has to be woken.
        Task.immediate {
            do {
                answering(answer(try await body(command, delivery)))
            } catch let error as RPCError {
                answering(.refusal(error))
            } catch let error as any TransientError where error.isTransient {
                answering(.refusal(RPCError(.unavailable, "\(error)")))
            } catch is CancellationError {
                answering(.refusal(RPCError(.unavailable, "the service is stopping")))
            } catch {
                // The reason may hold what is not the caller's business: it stays in the log.
                logger.error("\(C.name) failed: \(error)")
                answering(.refusal(RPCError(.failed, "\(C.name) failed")))
            }
        }
    }

    /// Performs a command on the bus's reader thread, without a task: for services with threads of their own, which take
    /// the work and call `respond`, from anywhere, once. The body must not block.
    public func serve<C: Command>(
        immediately command: C.Type, on scope: ServeScope = .thisInstance,
        _ body: @escaping @Sendable (C, Delivery, @escaping @Sendable (Result<C.Reply, RPCError>) -> Void) -> Void
    ) {
        register(command, scope) { command, delivery, answering in
            body(command, delivery) { result in
                switch result {
                case .success(let reply): answering(Self.answer(reply))
                case .failure(let error): answering(.refusal(error))
                }
            }
        }
    }

    private func register<C: Command>(
        _ type: C.Type, _ scope: ServeScope, _ perform: @escaping @Sendable (C, Delivery, Answering) -> Void
    ) {
        precondition(C.service == service, "\(C.name) belongs to \(C.service)")
        precondition(!registrations.withLock { $0.isStarted }, "commands are registered before the bus starts")
        performer.register(
            C.name,
            Performer.Served(scope: scope) { body, delivery, answering in
                let command: C
                do throws(RPCError) { command = try JSON.decode(C.self, body) } catch { return answering(.refusal(error)) }
                perform(command, delivery, answering)
            })
    }

    private static func answer(_ reply: some Encodable) -> Answer {
        JSON.encode(reply).map(Answer.reply) ?? .refusal(RPCError(.failed, "the reply cannot be written as JSON"))
    }
}
