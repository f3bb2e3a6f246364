using System.Globalization;
using Spectre.Console;

namespace Turnpike.Demo;

/// <summary>Tells the walk in numbered steps, each with the time it took: in colour on a terminal, as plain text elsewhere.</summary>
internal sealed class Narrator(IAnsiConsole console, TimeProvider time)
{
    private readonly long begun = time.GetTimestamp();
    private int steps;

    public bool IsFinished { get; private set; }

    public static Narrator OnConsole(TimeProvider time)
    {
        var plain = Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(Console.Out),
        });
        // A curl that is broken into lines by us cannot be pasted; the terminal wraps by itself.
        console.Profile.Width = 10_000;
        return new Narrator(console, time);
    }

    public void Title(string title, string subtitle)
    {
        console.MarkupLine($"[bold]{Markup.Escape(title)}[/]");
        Say(subtitle);
    }

    /// <summary>A remark.</summary>
    public void Say(string text) => console.MarkupLine($"[grey]{Markup.Escape(text)}[/]");

    /// <summary>A named fact of the step.</summary>
    public void Fact(string name, string value) => console.MarkupLine($"   {Markup.Escape(name),-12} [cyan]{Markup.Escape(value)}[/]");

    /// <summary>A line to be pasted: nothing before it.</summary>
    public void Paste(string text) => console.MarkupLine(Markup.Escape(text));

    public void Line() => console.WriteLine();

    /// <summary>Tells a step, does it, and tells how long it took.</summary>
    public async Task StepAsync(string title, Func<Task> step)
    {
        Line();
        console.MarkupLine($"[bold yellow]{++steps}.[/] [bold]{Markup.Escape(title)}[/]");
        var started = time.GetTimestamp();
        await step();
        console.MarkupLine($"   [green]done[/] [grey]in {Seconds(time.GetElapsedTime(started))}[/]");
    }

    /// <summary>A step that this machine cannot take; its number is used up.</summary>
    public void Skip(string title, string reason)
    {
        Line();
        console.MarkupLine($"[bold yellow]{++steps}.[/] [bold]{Markup.Escape(title)}[/]");
        console.MarkupLine($"   [yellow]left out:[/] {Markup.Escape(reason)}");
    }

    public void Finished()
    {
        IsFinished = true;
        Line();
        console.MarkupLine($"[green]The walk is done[/] [grey]in {Seconds(time.GetElapsedTime(begun))}.[/]");
    }

    public void Fail(string message) => console.MarkupLine($"[red]The demo failed:[/] {Markup.Escape(message)}");

    private static string Seconds(TimeSpan span) => span < TimeSpan.FromSeconds(1)
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalMilliseconds} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalMilliseconds / 1000}.{(long)span.TotalMilliseconds % 1000 / 100} s");
}
