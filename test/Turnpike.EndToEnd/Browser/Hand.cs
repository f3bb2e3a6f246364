namespace Turnpike.EndToEnd.Browser;

/// <summary>How somebody gets about on a page.</summary>
public enum Hand
{
    /// <summary>By Tab, arrows, space and Enter alone.</summary>
    Keyboard,

    /// <summary>By pointing and clicking.</summary>
    Mouse,
}
