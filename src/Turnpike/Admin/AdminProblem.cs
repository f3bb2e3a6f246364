using Microsoft.AspNetCore.Http.HttpResults;

namespace Turnpike.Admin;

/// <summary>How the Admin API says no: problem+json with a stable <c>reason</c>, as callers get it.</summary>
internal static class AdminProblem
{
    public static ProblemHttpResult Of(int status, string reason, string title, string? detail = null) =>
        TypedResults.Problem(detail, statusCode: status, title: title, type: "urn:turnpike:problem:" + reason, extensions: new Dictionary<string, object?> { ["reason"] = reason });

    public static ProblemHttpResult NotFound(string what) => Of(404, "not-found", $"No such {what}", $"No {what} has this id.");

    public static ProblemHttpResult Malformed(string detail) => Of(400, "malformed-request", "The request is malformed", detail);
}
