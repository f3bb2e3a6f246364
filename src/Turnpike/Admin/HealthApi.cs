using Turnpike.Telemetry;

namespace Turnpike.Admin;

/// <summary><c>/health/live</c>, <c>/health/ready</c> and <c>/metrics</c>: for probes and scrapers, without a key, on the operators' listener only.</summary>
internal static class HealthApi
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/health/live", () => TypedResults.Text("live\n")).ExcludeFromDescription();
        app.MapGet("/health/ready", (Readiness readiness) =>
        {
            var view = readiness.Look();
            return TypedResults.Json(view, AdminJson.Default.ReadyView, statusCode: view.Status == "ready" ? 200 : 503);
        }).ExcludeFromDescription();
        app.MapGet("/metrics", (PrometheusText metrics) => TypedResults.Text(metrics.Write(), PrometheusText.ContentType)).ExcludeFromDescription();
    }
}
