/// The whole API: one table for the router and for the OpenAPI document.
enum API {
    static let table = RouteTable(
        Pages.routes + Customers.routes + Keys.routes + Extensions.routes + Flows.routes + Runs.routes + Calls.routes
            + Recordings.routes + Voicemails.routes + Mailboxes.routes + Supervising.routes + CallHearing.routes + Streams.routes
            + CallControl.routes + CallTimeline.routes + CallLimits.routes + Conferences.routes + Participants.routes + Events.routes)
}
