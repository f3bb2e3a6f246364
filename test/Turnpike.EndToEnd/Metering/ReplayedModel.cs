using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Metering;

/// <summary>Replays a recorded stream, event by event, whatever is asked.</summary>
internal sealed class ReplayedModel : IAsyncDisposable
{
    private LoopbackHost? host;
    private int asked;

    public Uri Url => host!.Url;

    public string Stream { get; set; } = "";

    /// <summary>Before this event, counted from zero, it waits for <see cref="Going"/>.</summary>
    public int WaitsBefore { get; set; } = int.MaxValue;

    public TaskCompletionSource Going { get; private set; } = new();

    /// <summary>How often it was asked; told at <c>GET /asked</c> too.</summary>
    public int Asked => Volatile.Read(ref asked);

    public static async Task<ReplayedModel> StartAsync()
    {
        var model = new ReplayedModel();
        model.host = await LoopbackHost.StartAsync(app =>
        {
            app.MapPost("/{**any}", model.AnswerAsync);
            app.MapGet("/asked", () => $"{model.Asked}");
        });
        return model;
    }

    /// <summary>As it was at first, for the next test; whoever still waits is let go.</summary>
    public ReplayedModel Anew()
    {
        Going.TrySetResult();
        (Stream, WaitsBefore, Going) = ("", int.MaxValue, new());
        Volatile.Write(ref asked, 0);
        return this;
    }

    public ValueTask DisposeAsync() => host!.DisposeAsync();

    public static string Recorded(string name) => File.ReadAllText(Path.Combine(Checkout.Root, "test/Turnpike.Tests/Vectors/llm", name));

    private async Task AnswerAsync(HttpContext http)
    {
        Interlocked.Increment(ref asked);
        http.Response.ContentType = "text/event-stream";
        var events = Stream.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < events.Length; i++)
        {
            if (i == WaitsBefore) await Going.Task.WaitAsync(http.RequestAborted);
            await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(events[i] + "\n\n"), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }
}
