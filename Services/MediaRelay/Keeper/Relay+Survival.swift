import DTLS
import Processes
import Succession
import Threads

extension Relay {
    /// Follows what the worker does until it is this process's turn, and then goes on with it.
    func standBy(_ link: KeeperLink, _ certificate: Certificate) {
        for loop in loops { loop.loop.start() }
        link.listen(
            KeeperLink.Listener(
                deposited: { key, deposit in
                    if let legacy = Inheritance.fastPath(key, deposit) {
                        for loop in loops { loop.post { $0.inherit(legacy) } }
                    }
                    guard let session = MediaLoop.session(of: key) else { return }
                    loop(of: session).post { $0.learn(key, deposit) }
                },
                removed: { key in
                    guard let session = MediaLoop.session(of: key) else { return }
                    loop(of: session).post { $0.unlearn(key) }
                },
                goes: {
                    for loop in loops { loop.post { $0.takeOver() } }
                    // The streams of the one before go on until each thread has asked for them.
                    turn(0) { Inheritance.deposit(fastPath, with: link) }
                    Inheritance.deposit(certificate, with: link)
                    for loop in loops { loop.post { $0.depositThread() } }
                },
                depositAll: {
                    Inheritance.deposit(certificate, with: link)
                    Inheritance.deposit(fastPath, with: link)
                    for loop in loops { loop.post { $0.depositAll() } }
                }, turn: { turn(0, $0) }))
    }

    /// Calls back when every thread has come round.
    private func turn(_ index: Int, _ done: @escaping @Sendable () -> Void) {
        guard index < loops.count else { return done() }
        loops[index].post { _ in turn(index + 1, done) }
    }
}
