namespace Turnpike.EndToEnd.Crashes;

/// <summary>A gateway's wall clock, moved by a file (libfaketime); the clock that never jumps is left alone.</summary>
internal static class FakeClock
{
    private static readonly string[] Places = ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];

    /// <summary>Null where libfaketime is not installed.</summary>
    public static string? Library { get; } = Array.Find(Places, File.Exists);

    /// <summary>
    /// What a gateway is started with. Without the last of them libfaketime takes the end of a wait by the clock that never jumps
    /// for one by the wall clock: it has always passed, and threads of the runtime that wait go round without a pause.
    /// </summary>
    /// <param name="file">Says how far off the clock is.</param>
    public static (string Name, string Value)[] Variables(string file) =>
    [
        ("LD_PRELOAD", Library!), ("FAKETIME_TIMESTAMP_FILE", file), ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1"), ("FAKETIME_FORCE_MONOTONIC_FIX", "0"),
    ];
}
