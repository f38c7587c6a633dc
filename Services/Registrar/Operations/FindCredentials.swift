import Logging
import Contracts

extension Extensions {
    /// What the edge checks a digest with; while PostgreSQL is away, what was found last.
    func find(_ command: FindCredentials) async throws -> FindCredentials.Reply {
        guard let domain = ExtensionDraft.domain(command.domain) else { throw Self.missing }
        let name = LastGood.account(command.username, domain)
        do {
            guard let account = try await store.account(domain: domain, number: command.username) else {
                sealing.openNothing()
                throw Self.missing
            }
            guard let opened = sealing.open(account.credentials, extensionID: account.extensionID) else {
                runtime.logger.error(
                    "credentials were sealed with another cluster key", metadata: ["extension": "\(account.extensionID)"])
                throw RPCError(.failed, "the credentials cannot be read")
            }
            var reply = FindCredentials.Reply(
                customerID: account.customerID, extensionID: account.extensionID, username: account.number,
                domain: account.domain, ha1MD5: opened.md5, ha1SHA256: opened.sha256)
            reply.isSuspended = account.isSuspended ? true : nil
            lastGood.keep(reply, as: name)
            return reply
        } catch let error as RPCError where error.code == .unavailable {
            guard var reply = await lastGood.find(FindCredentials.Reply.self, name) else { throw error }
            reply.isLastKnown = true
            return reply
        }
    }
}
