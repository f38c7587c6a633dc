/// The whole API: one table for the router and for the OpenAPI document.
enum API {
    static let table = RouteTable(
        Pages.routes + Customers.routes + Keys.routes + Extensions.routes + Flows.routes + Runs.routes + Calls.routes
            + Conferences.routes + Participants.routes + Events.routes)
}
