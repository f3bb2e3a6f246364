using System.Buffers;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

using Turnpike.Gateway;

namespace Turnpike.Demo;

/// <summary>The API that is sold: a forecast, a report, a status. It knows nothing of payments and answers only to the gateway's key.</summary>
internal sealed class DemoUpstream : IAsyncDisposable
{
    private const int MostBody = 64 * 1024;
    private static readonly string[] Skies = ["sunny", "cloudy", "light rain", "heavy rain", "windy", "fog", "snow"];

    private readonly WebApplication app;

    private DemoUpstream(WebApplication app) => this.app = app;

    public Uri Url => new(app.Urls.Single());

    public static async Task<DemoUpstream> StartAsync(string key, CancellationToken ct)
    {
        var builder = GatewaySetup.NewHost();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = MostBody;
        });
        var app = builder.Build();
        app.Use((http, next) =>
        {
            if (http.Request.Headers["x-upstream-key"] == key) return next(http);
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        });
        app.MapGet("/forecast/{city}", (string city) => Results.Bytes(Forecast(city), "application/json"));
        app.MapPost("/reports", async (HttpRequest request, CancellationToken stop) => Results.Bytes(await ReportAsync(request.Body, stop), "application/json"));
        app.MapGet("/status", () => Results.Bytes("""{"status":"ok"}"""u8.ToArray(), "application/json"));
        await app.StartAsync(ct);
        return new DemoUpstream(app);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    /// <summary>Seven days, the same for the same city each time: the weather is in the hash of its name.</summary>
    internal static byte[] Forecast(string city)
    {
        var weather = SHA256.HashData(Encoding.UTF8.GetBytes(city.ToLowerInvariant()));
        return Write(json =>
        {
            json.WriteString("city", city);
            json.WriteStartArray("days");
            for (var day = 0; day < 7; day++)
            {
                json.WriteStartObject();
                json.WriteNumber("day", day + 1);
                json.WriteString("sky", Skies[weather[day] % Skies.Length]);
                json.WriteNumber("high", 5 + weather[7 + day] % 25);
                json.WriteNumber("low", 5 + weather[7 + day] % 25 - 2 - weather[14 + day] % 8);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
    }

    private static async Task<byte[]> ReportAsync(Stream body, CancellationToken ct)
    {
        using var order = new MemoryStream();
        await body.CopyToAsync(order, ct);
        return Write(json =>
        {
            json.WriteString("report", "Made to order.");
            json.WriteString("order", Convert.ToHexStringLower(SHA256.HashData(order.ToArray())));
        });
    }

    private static byte[] Write(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
