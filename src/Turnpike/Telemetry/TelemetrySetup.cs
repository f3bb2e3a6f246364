namespace Turnpike.Telemetry;

/// <summary>Registers the Prometheus text, and the export where a collector is named.</summary>
internal static class TelemetrySetup
{
    public static IServiceCollection AddTelemetry(this IServiceCollection services, Uri? collector)
    {
        if (collector is not null) services.AddHostedService(_ => new OtlpExport(collector));
        return services.AddSingleton<PrometheusText>();
    }
}
