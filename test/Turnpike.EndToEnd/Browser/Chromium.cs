using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Turnpike.Demo;
using Turnpike.EndToEnd.Harness;

namespace Turnpike.EndToEnd.Browser;

/// <summary>
/// A real browser with one page, driven by keyboard or mouse over its DevTools protocol. It keeps what the page complains of:
/// console errors, exceptions, resources that failed, and whatever the content security policy stopped.
/// </summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];
    private readonly Process process;
    private readonly string folder;
    private readonly ClientWebSocket wire = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode>> waiting = new();
    private readonly SemaphoreSlim loads = new(0);
    private readonly SemaphoreSlim sending = new(1);
    private readonly CancellationTokenSource over = new();
    private int last;

    private Chromium(Process process, string folder, Hand hand) => (this.process, this.folder, Hand) = (process, folder, hand);

    public Hand Hand { get; }

    /// <summary>What the pages complained of so far.</summary>
    public ConcurrentQueue<string> Problems { get; } = [];

    /// <summary>Starts it, with an empty page; where there is no browser the test skips with the reason.</summary>
    public static async Task<Chromium> StartAsync(Hand hand = Hand.Keyboard, bool scripts = true)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).SelectMany(p => Names.Select(n => Path.Combine(p, n))).FirstOrDefault(File.Exists);
        if (found is null) Assert.Skip("Chromium is missing: pages cannot be tried in a browser. ./turnpike test installs it where it may.");
        var folder = Directory.CreateTempSubdirectory("turnpike-chromium-").FullName;
        var start = Watchdog.Beside(found!, ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--no-first-run", "--no-proxy-server", "--disable-background-networking", $"--user-data-dir={folder}", "--remote-debugging-port=0", "about:blank"]);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var browser = new Chromium(process, folder, hand);
        await browser.ConnectAsync(scripts);
        return browser;
    }

    public async Task GoAsync(Uri url)
    {
        await SendAsync("Page.navigate", new() { ["url"] = url.AbsoluteUri });
        await LoadedAsync();
    }

    public async Task ReloadAsync()
    {
        await SendAsync("Page.reload");
        await LoadedAsync();
    }

    /// <summary>The page, as somebody reads it.</summary>
    public Task<string> TextAsync() => ReadAsync("document.body.innerText");

    /// <summary>Where it is.</summary>
    public async Task<Uri> UrlAsync() => new(await ReadAsync("location.href"));

    /// <summary>Looks at the page; it is never acted on this way.</summary>
    public async Task<string> ReadAsync(string expression)
    {
        var answer = await SendAsync("Runtime.evaluate", new() { ["expression"] = $"String({expression})", ["returnByValue"] = true });
        return answer["result"]!["value"]!.GetValue<string>();
    }

    /// <summary>Presses Tab until this has the focus, as somebody without a mouse has to; at most forty times.</summary>
    public async Task TabToAsync(string selector)
    {
        for (var presses = 0; presses < 40; presses++)
        {
            await KeyAsync("Tab", 9);
            if (await ReadAsync($"document.activeElement.matches({JsonSerializer.Serialize(selector)})") == "true") return;
        }
        throw new ShouldAssertException($"No number of Tabs leads to {selector} on {await UrlAsync()}.");
    }

    /// <summary>Presses a button or follows a link, and waits for the page that follows.</summary>
    public async Task PressAsync(string selector)
    {
        if (Hand == Hand.Mouse)
        {
            await ClickAsync(selector);
            await LoadedAsync();
            return;
        }
        await TabToAsync(selector);
        await EnterAsync();
    }

    /// <summary>Writes into a field, over what stands there.</summary>
    public async Task FillAsync(string selector, string text)
    {
        if (Hand == Hand.Mouse) await ClickAsync(selector, clicks: 3);
        else await TabToAsync(selector); // which selects it
        await TypeAsync(text);
    }

    /// <summary>Ticks a box.</summary>
    public async Task TickAsync(string selector)
    {
        if (Hand == Hand.Mouse)
        {
            await ClickAsync(selector);
            return;
        }
        await TabToAsync(selector);
        await SpaceAsync();
    }

    /// <summary>Chooses one of several; at most ten.</summary>
    public async Task ChooseAsync(string selector)
    {
        if (Hand == Hand.Mouse) await ClickAsync(selector);
        else await TabToAsync("input[type=radio]");
        for (var presses = 0; presses < 10 && await ReadAsync($"document.querySelector({JsonSerializer.Serialize(selector)}).checked") != "true"; presses++) await DownAsync();
    }

    /// <summary>Sends these with every request from now on, as a program would that shows a page to its user; none: no more.</summary>
    public Task SendAlongAsync(params (string Name, string Value)[] headers) =>
        SendAsync("Network.setExtraHTTPHeaders", new() { ["headers"] = new JsonObject(headers.Select(h => KeyValuePair.Create(h.Name, (JsonNode?)h.Value))) });

    public Task TypeAsync(string text) => SendAsync("Input.insertText", new() { ["text"] = text });

    public Task DownAsync() => KeyAsync("ArrowDown", 40);

    /// <summary>Ticks what has the focus.</summary>
    public Task SpaceAsync() => KeyAsync(" ", 32, " ");

    /// <summary>Presses Enter on what has the focus, and waits for the page that follows.</summary>
    public async Task EnterAsync()
    {
        await KeyAsync("Enter", 13, "\r");
        await LoadedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        wire.Dispose();
        await Watchdog.KillAsync(process);
        process.Dispose();
        for (var tries = 0; tries < 20 && Directory.Exists(folder); tries++)
        {
            try { Directory.Delete(folder, recursive: true); }
            catch (IOException) { await Task.Delay(100); } // a child of it is still writing
        }
    }

    private async Task ConnectAsync(bool scripts)
    {
        var told = Path.Combine(folder, "DevToolsActivePort");
        for (var wait = 0; !File.Exists(told) || (await File.ReadAllLinesAsync(told)).Length < 2; wait++)
        {
            if (wait > 1_200 || process.HasExited) throw new ShouldAssertException("Chromium did not start in two minutes.");
            await Task.Delay(100);
        }
        var port = (await File.ReadAllLinesAsync(told))[0];
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var pages = JsonNode.Parse(await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/json/list")))!.AsArray();
        await wire.ConnectAsync(new Uri(pages.First(p => p!["type"]!.GetValue<string>() == "page")!["webSocketDebuggerUrl"]!.GetValue<string>()), over.Token);
        _ = ListenAsync();
        foreach (var domain in (string[])["Page", "Runtime", "Log", "Network", "Audits"]) await SendAsync($"{domain}.enable");
        if (!scripts) await SendAsync("Emulation.setScriptExecutionDisabled", new() { ["value"] = true });
    }

    private async Task LoadedAsync() => (await loads.WaitAsync(Patience)).ShouldBeTrue("no page was loaded in twenty seconds");

    private async Task ClickAsync(string selector, int clicks = 1)
    {
        var place = (await ReadAsync($"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2].map(Math.round).join(' '); }})(document.querySelector({JsonSerializer.Serialize(selector)}))")).Split(' ');
        var (x, y) = (int.Parse(place[0], System.Globalization.CultureInfo.InvariantCulture), int.Parse(place[1], System.Globalization.CultureInfo.InvariantCulture));
        await SendAsync("Input.dispatchMouseEvent", new() { ["type"] = "mouseMoved", ["x"] = x, ["y"] = y });
        for (var click = 1; click <= clicks; click++)
            foreach (var type in (string[])["mousePressed", "mouseReleased"])
                await SendAsync("Input.dispatchMouseEvent", new() { ["type"] = type, ["x"] = x, ["y"] = y, ["button"] = "left", ["clickCount"] = click });
    }

    private async Task KeyAsync(string key, int code, string? text = null)
    {
        foreach (var type in (string[])["keyDown", "keyUp"])
        {
            var press = new JsonObject { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code };
            if (text is not null && type == "keyDown") press["text"] = text;
            await SendAsync("Input.dispatchKeyEvent", press);
        }
    }

    private async Task<JsonNode> SendAsync(string method, JsonObject? parameters = null)
    {
        var id = Interlocked.Increment(ref last);
        var answer = waiting[id] = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        var text = JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] });
        await sending.WaitAsync();
        try { await wire.SendAsync(text, WebSocketMessageType.Text, true, over.Token); }
        finally { sending.Release(); }
        var told = await answer.Task.WaitAsync(Patience);
        return told["error"] is { } error ? throw new ShouldAssertException($"{method}: {error}") : told["result"]!;
    }

    private async Task ListenAsync()
    {
        var buffer = new byte[64 * 1024];
        using var message = new MemoryStream();
        try
        {
            while (!over.IsCancellationRequested)
            {
                var part = await wire.ReceiveAsync(buffer, over.Token);
                message.Write(buffer, 0, part.Count);
                if (!part.EndOfMessage) continue;
                Hear(JsonNode.Parse(message.ToArray())!);
                message.SetLength(0);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or ObjectDisposedException) { }
    }

    private void Hear(JsonNode told)
    {
        if (told["id"]?.GetValue<int>() is { } id)
        {
            if (waiting.TryRemove(id, out var answer)) answer.SetResult(told);
            return;
        }
        var about = told["params"]!;
        switch (told["method"]!.GetValue<string>())
        {
            case "Page.loadEventFired": loads.Release(); break;
            case "Log.entryAdded" when about["entry"]!["level"]!.GetValue<string>() is "error" or "warning": Problems.Enqueue(about["entry"]!["text"]!.GetValue<string>()); break;
            case "Runtime.consoleAPICalled" when about["type"]!.GetValue<string>() is "error" or "warning": Problems.Enqueue(about["args"]!.ToJsonString()); break;
            case "Runtime.exceptionThrown": Problems.Enqueue(about["exceptionDetails"]!.ToJsonString()); break;
            case "Network.loadingFailed" when about["canceled"]?.GetValue<bool>() != true: Problems.Enqueue(about["errorText"]!.GetValue<string>()); break;
            case "Audits.issueAdded": Problems.Enqueue(about["issue"]!.ToJsonString()); break;
        }
    }
}
