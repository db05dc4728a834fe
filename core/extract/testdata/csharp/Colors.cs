namespace Paint
{
    public enum Color { Red, Green }

    public class Size
    {
        public static Size Small = new Size();
        public int Width;
        public static Size Parse(string text) => new Size();
    }

    public class Brush
    {
        public Color Color { get; set; }
        public Size Size;
        public string Text;

        public void Use(Size Size)
        {
            Color = Color.Red;
            var other = Size.Parse(Text.Trim());
            var width = Size.Width;
            this.Size = Size.Small;
            var name = Color.ToString();
        }

        private Size Default() => Size.Small;
    }
}
