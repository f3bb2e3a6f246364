using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Turnpike.Telemetry;

/// <summary>Sends traces and metrics to an OpenTelemetry collector, from start to stop. Port 4318 speaks HTTP, others gRPC.</summary>
internal sealed class OtlpExport(Uri collector) : IHostedService
{
    private TracerProvider? tracer;
    private MeterProvider? meter;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var resource = ResourceBuilder.CreateDefault().AddService("turnpike", serviceVersion: typeof(OtlpExport).Assembly.GetName().Version?.ToString(3));
        tracer = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(Tracing.SourceName, "Microsoft.AspNetCore")
            .AddOtlpExporter(options => Point(options, "v1/traces"))
            .Build();
        meter = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Instruments.MeterName, "turnpike.books", "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel")
            .AddOtlpExporter((options, reading) => { Point(options, "v1/metrics"); reading.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = 10_000; })
            .Build();
        return Task.CompletedTask;
    }

    /// <summary>What is still queued is sent, for two seconds at most: a collector that is down must not hold up a stop.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        tracer?.Shutdown(2000);
        meter?.Shutdown(2000);
        tracer?.Dispose();
        meter?.Dispose();
        return Task.CompletedTask;
    }

    private void Point(OtlpExporterOptions options, string path)
    {
        options.Protocol = collector.Port == 4318 ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        options.Endpoint = collector.Port == 4318 ? new Uri($"{collector.AbsoluteUri.TrimEnd('/')}/{path}") : collector;
        options.TimeoutMilliseconds = 5000;
    }
}
