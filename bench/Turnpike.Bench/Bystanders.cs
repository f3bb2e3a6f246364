using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Turnpike.Gateway;

namespace Turnpike.Bench;

/// <summary>The processes a gateway is measured against: the upstream both proxies share, and YARP with nothing around it.</summary>
internal static class Bystanders
{
    public const string UpstreamVerb = "upstream", ProxyVerb = "yarp";

    private static readonly byte[] Forecast = """{"city":"paris","days":[{"high":21,"low":12},{"high":23,"low":13},{"high":19,"low":11},{"high":18,"low":9},{"high":20,"low":10},{"high":22,"low":12},{"high":24,"low":14}]}"""u8.ToArray();

    private static readonly byte[] Word = [.. """data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":" wave"},"logprobs":null,"finish_reason":null}],"usage":null}"""u8, .. "\n\n"u8];
    private static readonly byte[] LastWord = [.. """data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":200,"total_tokens":220}}"""u8, .. "\n\ndata: [DONE]\n\n"u8];

    /// <summary>A forecast API that costs next to nothing, and a language model that says as many words as it is asked for (<c>?words=200&amp;pause=10</c>).</summary>
    public static async Task<int> UpstreamAsync(int port)
    {
        await using var app = Build(port, static _ => { });
        app.Run(static async http =>
        {
            if (HttpMethods.IsPost(http.Request.Method)) { await StreamAsync(http); return; }
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = Forecast.Length;
            await http.Response.Body.WriteAsync(Forecast);
        });
        await app.RunAsync();
        return 0;
    }

    private static async Task StreamAsync(HttpContext http)
    {
        var (words, pause) = (int.Parse(http.Request.Query["words"].ToString(), CultureInfo.InvariantCulture), int.Parse(http.Request.Query["pause"].ToString(), CultureInfo.InvariantCulture));
        http.Response.ContentType = "text/event-stream";
        for (var i = 0; i < words; i++)
        {
            await http.Response.Body.WriteAsync(Word, http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
            if (pause > 0) await Task.Delay(pause, http.RequestAborted);
        }
        await http.Response.Body.WriteAsync(LastWord, http.RequestAborted);
    }

    /// <summary>Everything goes to one upstream, by YARP's direct forwarding with its default transformer.</summary>
    public static async Task<int> ProxyAsync(int port, Uri upstream)
    {
        await using var app = Build(port, static services => services.AddRouting().AddHttpForwarder());
        app.MapForwarder("/{**rest}", upstream.GetLeftPart(UriPartial.Authority));
        await app.RunAsync();
        return 0;
    }

    private static WebApplication Build(int port, Action<IServiceCollection> add)
    {
        var builder = GatewaySetup.NewHost();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => { kestrel.AddServerHeader = false; kestrel.ListenLocalhost(port); });
        add(builder.Services);
        return builder.Build();
    }
}
